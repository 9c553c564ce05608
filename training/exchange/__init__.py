"""Annotated documents in and out of the tools that people annotate with.

One module a format (`doccano`, `labelstudio`, `brat`, `conll`, `markup_lines`, `service`), each with `read(path)` and
`write(path, documents)`; `registry` names them, `splitting` cuts documents into sentences, `importing` and `exporting`
put the parts together, `duplicates` finds near-duplicates.
"""
