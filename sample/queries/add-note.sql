-- Adds a note about a city; its author is the token's subject.
--
-- @claim sub string  Who writes it
-- @param city_id integer min 1  The city's id
-- @param body string length 1..1000  The note's text
-- @tags notes
-- @example {"city_id": 1, "body": "Bring a coat."}
INSERT INTO notes (city_id, author, body)
VALUES (:city_id, :jwt.sub, :body)
