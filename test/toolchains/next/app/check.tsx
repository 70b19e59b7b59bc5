"use client";

import { useEffect, useState } from "react";
import { checkPage } from "../src/check";

export default function Check() {
  const [text, setText] = useState("");
  useEffect(() => {
    checkPage().then(setText);
  }, []);
  return <p id="wampy">{text}</p>;
}
