-- Divides the tables of a store between the machines of a Citus cluster (12 or later), by business.
--
-- NOT RUN YET: no test of this project has a Citus cluster. A test keeps this file in step with the schema: every table stands in it
-- once, after those that it refers to. What Citus is known to refuse or to do in another way is written beside each part;
-- run the conformance suite against your cluster before you trust it.
--
-- Run it once on the coordinator, in the database that Prilavok has made its tables in, while no node of Prilavok is running:
--
--     psql -v ON_ERROR_STOP=1 -f deploy/citus.sql postgres://…/prilavok
--
-- Nodes of Prilavok connect to the coordinator. Rows that are there already are moved.

BEGIN;

-- Many more than machines, so that shards can be moved to new ones: citus_rebalance_start(). A business that outgrows its shard gets
-- one of its own: isolate_tenant_to_new_shard('chat', <business>, 'CASCADE').
SET LOCAL citus.shard_count = 128;

-- On every machine: what all businesses' rows are joined with or refer to. Names of customers are shown with every chat. Writing
-- them costs a commit on each machine, which a registration can bear.
SELECT create_reference_table('business');
SELECT create_reference_table('customer');

-- On the coordinator: small, and asked about as a whole. Nodes share the subscriptions of all businesses with FOR UPDATE SKIP LOCKED,
-- which Citus does for one shard only.
SELECT citus_add_local_table_to_metadata('meta');
SELECT citus_add_local_table_to_metadata('node');
SELECT citus_add_local_table_to_metadata('operator_token');
SELECT citus_add_local_table_to_metadata('session');
SELECT citus_add_local_table_to_metadata('subscription');
SELECT citus_add_local_table_to_metadata('erasure');

-- Divided by business: a business's rows of all these tables lie on one machine, so a statement that names the business is done by
-- that machine alone, and a transaction of one business commits there alone. Lists of all businesses (the desk, the audit trail, the
-- stream of all events, the sweeps) ask every machine for its first rows.
SELECT create_distributed_table('business_head', 'business_id', colocate_with => 'none');
SELECT create_distributed_table('campaign', 'business_id', colocate_with => 'business_head');
SELECT create_distributed_table('purchase', 'business_id', colocate_with => 'business_head');
SELECT create_distributed_table('purchase_return', 'business_id', colocate_with => 'business_head');
SELECT create_distributed_table('credential', 'business_id', colocate_with => 'business_head');
SELECT create_distributed_table('chat', 'business_id', colocate_with => 'business_head');
SELECT create_distributed_table('message', 'business_id', colocate_with => 'business_head');
SELECT create_distributed_table('message_file', 'business_id', colocate_with => 'business_head');
SELECT create_distributed_table('taken', 'business_id', colocate_with => 'business_head');
SELECT create_distributed_table('idempotency', 'business_id', colocate_with => 'business_head');
SELECT create_distributed_table('limit_usage', 'business_id', colocate_with => 'business_head');
SELECT create_distributed_table('event', 'business_id', colocate_with => 'business_head');
SELECT create_distributed_table('again', 'business_id', colocate_with => 'business_head');
SELECT create_distributed_table('attempt', 'business_id', colocate_with => 'business_head');
SELECT create_distributed_table('seen', 'business_id', colocate_with => 'business_head');
SELECT create_distributed_table('saved_reply', 'business_id', colocate_with => 'business_head');
SELECT create_distributed_table('verdict', 'business_id', colocate_with => 'business_head');
SELECT create_distributed_table('audit', 'business_id', colocate_with => 'business_head');

-- Citus refuses VOLATILE functions in an UPDATE, and STABLE ones of a column. This one is given a column, so nobody can compute it
-- before the row is locked; it is called immutable for Citus alone. Ids then come from the clock of the machine that has the shard.
ALTER FUNCTION next_event(bigint, bigint) IMMUTABLE;
SELECT create_distributed_function('next_event(bigint, bigint)');
SELECT create_distributed_function('grant_calls(bigint, bigint, bigint, bigint, bigint, bigint, bigint)');

-- The stream of all businesses ends below the oldest transaction under way, on whichever machine, and a second below that: so much
-- may the machines' clocks differ. Reads count as well here, since a coordinator does not tell which transactions write.
CREATE OR REPLACE FUNCTION event_horizon() RETURNS bigint LANGUAGE sql VOLATILE AS $$
    SELECT (floor(extract(epoch FROM least(min(xact_start), statement_timestamp()) - interval '1 second') * 1000)::bigint
        - 1704067200000) << 12
    FROM citus_stat_activity WHERE xact_start IS NOT NULL
$$;

COMMIT;
