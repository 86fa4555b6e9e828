-- The regions of the world: how many countries each has, and their area.
--
-- @tags geography
SELECT
  region,
  COUNT(*) AS countries,
  SUM(area_km2) AS area_km2
FROM countries
GROUP BY region
ORDER BY region
