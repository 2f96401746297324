-- Who keeps customers' names elsewhere is told of changes: the place of a customer's last one, in their order.
ALTER TABLE customer ADD COLUMN renamed INTEGER;
CREATE INDEX customer_renamed ON customer (renamed) WHERE renamed IS NOT NULL;
