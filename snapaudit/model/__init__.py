"""The nouns: frozen records that every stage hands to the next. Standard library only.

Times are aware UTC and end in ``_at``; sizes are integer bytes and end in ``_bytes``; shares run
from 0 to 1 and end in ``_ratio`` or ``_share``; durations are ``timedelta``. In something measured
``None`` says that the hypervisor did not tell: never 0, never "fine".
"""
