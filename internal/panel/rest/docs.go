package rest

// introduction stands before the operations in the document.
const introduction = `Everything that the panel can do, for programs.

A request carries a token in the header Authorization; tokens are made on the account's page in the panel.
What goes wrong is told by a problem document (RFC 9457) with a code, what mends it, and the fields that it is about.`
