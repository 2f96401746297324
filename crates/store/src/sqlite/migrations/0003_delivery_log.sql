-- The delivery log is swept by business, oldest lines first, in bounded steps: no index by age is needed.
DROP INDEX attempt_age;

-- What went wrong is looked for most; what went well is not worth an index.
CREATE INDEX attempt_not_delivered ON attempt (business_id, outcome, attempt_id) WHERE outcome <> 'DELIVERED';
CREATE INDEX attempt_of_event ON attempt (business_id, event_id, attempt_id);
