"""From typed rows to an unpublished snapshot: versions, who is who, core tables, gates, screens."""
