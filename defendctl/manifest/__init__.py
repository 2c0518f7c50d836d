"""From the text of manifests to what is desired: loader → validate → resolve.

source    bytes → text, or why not           loader    text → Documents (data with positions)
models    what a document may hold           validate  Document → Workflows, or every Diagnostic
project   defendctl.yaml → Project           resolve   Project, paths → Desired
files     entries → manifest files           schema    models → JSON Schema for editors
"""
