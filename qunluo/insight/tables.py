"""The tables a cube may stand on, as attributes of one object. Keys are stable 64-bit hashes.

Raw (one row a message or event, the truth):

- `messages`: group_key, sender_key, sent_at (UTC), local_at (naive, community zone), seq, kind,
  raw_kind, text, message_id, thread_id, reply_to, reply_sender_key, reply_delay_s (explicit
  replies whose target is in the archive; null otherwise), prev_sender_key, prev_gap_s (who
  wrote before in the group, and how long before), mentions, revoked, forwarded, edited_at,
  reactions, reaction_count, media_*; sorted by group, sent_at, seq.
- `classed`: `messages` with `class` (brand, member, bot, system).
- `events`: group_key, subject_key, actor_key, inviter_key, at, local_at, kind, text, new_name …

Counted (small, exact; from rollups made at import, or from raw rows with equal results):

- `person`: group_key, sender_key, month (date), n (messages and actions), actions, chars, days,
  first_at, last_at (local, naive)
- `person_day`: group_key, sender_key, day (date), n
- `person_clock`: group_key, sender_key, how (0–167, Monday 00 h = 0), n
- `person_kind`: group_key, sender_key, month, kind, n
- `group_day`: group_key, day, n, speakers
- `day`: day, n, speakers (distinct over all groups)
- `burst`: group_key, month, size (messages in one clock minute), minutes
- `latency`: group_key, delay_s (int), n (explicit replies by another account)
- `pair`: group_key, sender_key, other_key, tie ("reply": sender answered other; "next": sender
  wrote right after other), n

Small, in memory:

- `classes`: group_key, sender_key, class, suspected (bool)
- `accounts`: sender_key, platform, sender_id, name (latest), role (platform's own word or null)
- `groups`: group_key, platform, group_id, name
- `roster`: group_key, sender_key (also of members who never wrote), name, joined_at, left_at
  (local, naive, null if unknown or still there)
- `corporate`: group_key (null: all groups), sender_key, name, corporate (verified, lapsed,
  never or null), vendor; from the corporate table and from the roster's columns
- `staff`, `orders`: what the user gave (see `insight.inputs`); all empty tables if not
"""
