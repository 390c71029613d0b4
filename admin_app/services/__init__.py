"""What the desk can do. Module = noun, function = verb; knows no HTTP, never commits.

`batches` and `pages` use `operations` (what a person does to one record), operations use `blocks` (what they are
made of), and everybody may use `records` (audit, notifications, lookup and the other recorders and readers).
"""
