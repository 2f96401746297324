//! What the store knows about itself.

use super::statements::statements;

statements! {
    RAISE_ACCESS = "UPDATE meta SET value = value + 1 WHERE name = 'access_version' RETURNING value",
        across: "keys and states are kept in memory by every node, whichever business they belong to";
    RAISE_SUBSCRIPTIONS = "UPDATE meta SET value = value + 1 WHERE name = 'subscriptions_version' RETURNING value",
        across: "nodes share the subscriptions of all businesses among themselves";
    /// The place of the last of so many changes of customers' names. Its row stays locked until the commit: places are committed in order.
    NEXT_RENAMED = "UPDATE meta SET value = value + $1 WHERE name = 'renamed' RETURNING value",
        across: "customers are known to all businesses";
}
