"""The watch list (重点关注对象名单) and the blacklist (黑名单)."""
