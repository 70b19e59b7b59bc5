/** How the test of the documentation uses a snippet; test/docs/runs/ has a file for each page. */

/**
 * - `prints`: it runs, prints this, nothing on stderr, and ends by itself. `with` names snippets that are started before it
 *   (`getting-started/service.ts`), `files` what its folder contains. If one of them mentions port 8080 and none of them
 *   listens on it, a router is there.
 * - `serves`: it prints this and keeps running.
 * - `testedBy`: another test, which contains its name, uses it.
 * - `compiled`: it is only compiled, for this reason.
 *
 * A snippet that another one imports needs no entry.
 */
export type Use =
  | {
      readonly prints: RegExp
      readonly with?: readonly string[]
      readonly files?: Readonly<Record<string, string>>
    }
  | { readonly serves: RegExp; readonly with?: readonly string[]; readonly files?: Readonly<Record<string, string>> }
  | { readonly testedBy: string }
  | { readonly compiled: string }

/** By the name of the snippet in the folder of its page. */
export type Uses = Readonly<Record<string, Use>>
