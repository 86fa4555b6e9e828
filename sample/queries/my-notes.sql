-- The caller's own notes, newest first.
--
-- Whose they are is decided by the token: :jwt.sub is its subject, which a caller cannot send.
--
-- @claim sub string  Whose notes
-- @param city_id integer default null min 1  Only notes about this city
-- @param limit integer default 50 min 1 max 100  How many notes at most
-- @tags notes
-- @example {"limit": 5} The latest notes
SELECT
  notes.id,
  notes.city_id,
  cities.name AS city,
  notes.body,
  notes.created_at
FROM notes
JOIN cities ON cities.id = notes.city_id
WHERE notes.author = :jwt.sub
  AND (:city_id IS NULL OR notes.city_id = :city_id)
ORDER BY notes.created_at DESC, notes.id DESC
LIMIT :limit
