// How the search ranks what it finds: a reader looks for the book, then for the ledger, and last for the library.
// eslint-disable-next-line no-unused-vars
var Scorer = {
  objNameMatch: 11,
  objPartialMatch: 6,
  objPrio: { 0: 15, 1: 5, 2: -5 },
  objPrioDefault: 0,
  title: 15,
  partialTitle: 7,
  term: 5,
  partialTerm: 2,
  score: ([page, , , , found]) => {
    if (page.startsWith("chapters/api/")) return found - 40;
    return page === "chapters/ledger" ? found + 5 : found;
  },
};
