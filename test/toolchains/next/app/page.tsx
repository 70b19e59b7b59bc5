import { connection } from "next/server";
import { Suspense } from "react";
import { check } from "../src/check";
import Check from "./check";
import Live from "./live";

async function FromServer() {
  await connection();
  return <p id="server">{await check(process.env.ROUTER_URL!)}</p>;
}

export default function Home() {
  return (
    <main>
      <Suspense fallback={null}>
        <FromServer />
      </Suspense>
      <Check />
      <Live />
    </main>
  );
}
