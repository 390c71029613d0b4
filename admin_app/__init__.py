"""A browser admin for a customer-support desk.

Data flows one way: browser → `web` → `services` → `models` → `db`. Every floor calls only downwards:
`__main__ → app → (settings | web) → services → models → db → actor → (errors | permissions | clock)`.
"""
