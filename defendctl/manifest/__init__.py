"""From the text of manifests to what is desired: loader → validate → resolve.

source    bytes → text, or why not           loader    text → Documents (data with positions)
models    what a document may hold           validate  Document → Workflows, or every Diagnostic
project   defendctl.yaml → Project           resolve   Project, paths → Desired
files     entries → manifest files           schema    models → JSON Schema for editors

And back into text that stays as it is elsewhere: marks (where all of it begins and ends) → splice.

fmt       text → the same, canonical         edit      text, values → text that says them
spell     a value → its spelling             segments  keys of a block with their lines and comments
body      one workflow → its splices         values, items   one value; what goes in and out of a list
"""
