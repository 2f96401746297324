//! Scenarios: a buyer's, an arbiter's and the marketplace's part in a conversation, written down in YAML together
//! with what is expected of the partner. [`Scenario`] is one that was read and checked, [`Director`] plays it
//! against a server. The format is described in `docs/scenarios.md`.
//!
//! Nothing here has a task or a timer: whoever owns the director calls it, and asks it when to do so next.

mod acts;
mod cast;
mod check;
mod director;
mod fiber;
mod flood;
mod judge;
mod listening;
mod play;
mod report;
mod script;
mod shipped;
mod source;
mod values;

pub use cast::Cast;
pub use director::Director;
pub use report::{Expected, Happening, Report, State, Verdict, What};
pub use shipped::SHIPPED;
pub use source::{Problem, Scenario, ScenarioError};

/// The JSON Schema of the format, as editors use it.
#[must_use]
pub fn scenario_schema() -> serde_json::Value {
    schemars::schema_for!(script::Script).to_value()
}
