"""Imports that people do in the browser: `uploads` keeps the file, `previews` looks into it, `guessing` and `answers`
say what its columns mean, `layouts` remembers that, `runs` checks and imports, `reports` shows what came of it,
`undoing` takes it back.
"""
