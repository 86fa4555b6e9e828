-- Adds a note about a city; its author is the token's subject.
--
-- @claim sub string  Who writes it
-- @param city_id integer required  The city's id
-- @param body string required  The note's text
INSERT INTO notes (city_id, author, body)
VALUES (:city_id, :jwt.sub, :body)
