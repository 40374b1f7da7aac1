"""Erasing one person: everywhere, or at one company. Asked for once, it goes on by itself, step by step, to a receipt.

`asking` says what would go and takes the order; `steps` carries it out; `handled` is the table of all that can hold a
person's words or name; `passes` and `names` are how each of it is dealt with; `receipts` what is said of it afterwards,
and how it is done again after the restore of a backup. The administration and `manage.py erase` both go by these verbs.
"""

from conversations.erasing.asking import COUNTED, Preview, ask, find, preview
from conversations.erasing.receipts import again, receipt
from conversations.erasing.steps import advance, work

__all__ = ["COUNTED", "Preview", "advance", "again", "ask", "find", "preview", "receipt", "work"]
