//! A scenario as it is written: the YAML file as types. What JSON Schema says of it is derived from these types and
//! their comments.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;
use serde_saphyr::Spanned;

use super::values::{
    Lapse, NotificationName, Pattern, PlacementName, StatusName, Text, TimeOfDay, Title, WaitForName,
};

/// A scenario of the Prilavok sandbox: who there is, what happens, and what is expected of the partner.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Script {
    /// What it is about, in a few words.
    pub title: Title,
    /// The business whose partner is tried. Each run makes a new one.
    #[serde(default)]
    pub business: BusinessPart,
    /// The customers, by the names that this file calls them: the public name of each.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, Title>")]
    pub customers: BTreeMap<String, Spanned<Title>>,
    /// The orders, by the names that this file calls them.
    #[serde(default)]
    pub orders: BTreeMap<String, OrderPart>,
    /// The returns, by the names that this file calls them.
    #[serde(default)]
    pub returns: BTreeMap<String, ReturnPart>,
    /// What happens, one after the other.
    #[serde(default)]
    pub steps: Steps,
    /// What happens whenever the partner says something.
    #[serde(default)]
    #[schemars(with = "Vec<Rule>")]
    pub rules: Vec<Spanned<Rule>>,
    /// What is expected of the partner.
    #[serde(default)]
    #[schemars(with = "Vec<Expectation>")]
    pub expect: Vec<Spanned<Expectation>>,
    /// Rules of the sandbox's faults that hold for this scenario's business.
    #[serde(default)]
    pub faults: Vec<serde_json::Value>,
}

/// The business whose partner is tried.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct BusinessPart {
    /// Its name.
    pub name: Title,
    /// How it sells, where an order does not say otherwise.
    pub placement: PlacementName,
}

impl Default for BusinessPart {
    fn default() -> Self {
        Self {
            name: "Лавка у моста".parse().expect("a name"),
            placement: PlacementName(prilavok_domain::Placement::Fbs),
        }
    }
}

/// An order.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct OrderPart {
    /// Who ordered: the name of a customer.
    #[schemars(with = "String")]
    pub customer: Spanned<String>,
    /// Whether it was made to try things out: it may have a chat, its returns may not.
    #[serde(default)]
    pub test: bool,
    /// How it is sold, where not as the business sells.
    pub placement: Option<PlacementName>,
}

/// A return.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ReturnPart {
    /// What is returned: the name of an order.
    #[schemars(with = "String")]
    pub order: Spanned<String>,
}

/// Steps, done one after the other.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(from = "Vec<Spanned<Step>>")]
pub(super) struct Steps(pub Arc<[Spanned<Step>]>);

impl From<Vec<Spanned<Step>>> for Steps {
    fn from(steps: Vec<Spanned<Step>>) -> Self {
        Self(steps.into())
    }
}

impl JsonSchema for Steps {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Steps".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Vec::<Step>::json_schema(generator)
    }
}

/// One step.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Step {
    /// The customer writes. The chat is started where there is none.
    Customer(Line),
    /// The marketplace's people write; the arbiter is one of them.
    Support(SupportLine),
    /// The marketplace writes automatically.
    Market(Line),
    /// Time passes, from the moment at which the step before was done.
    Wait(Lapse),
    /// Time passes up to the next time of day.
    Until(TimeOfDay),
    /// The partner's answer is waited for.
    Reply(Reply),
    /// The customer starts a dispute beside the chat, and may write into it.
    Dispute(Opening),
    /// The arbiter gives the verdict, which finishes the dispute.
    Decide(Verdict),
    /// The chat is handed to the marketplace.
    Escalate(Whole),
    /// The chat is finished.
    Finish(Whole),
    /// Many customers write at once, each about an order of its own.
    Flood(Flood),
}

impl Step {
    /// What it is called in a file.
    #[must_use]
    pub(super) const fn kind(&self) -> &'static str {
        match self {
            Self::Customer(_) => "customer",
            Self::Support(_) => "support",
            Self::Market(_) => "market",
            Self::Wait(_) => "wait",
            Self::Until(_) => "until",
            Self::Reply(_) => "reply",
            Self::Dispute(_) => "dispute",
            Self::Decide(_) => "decide",
            Self::Escalate(_) => "escalate",
            Self::Finish(_) => "finish",
            Self::Flood(_) => "flood",
        }
    }

    /// The chat that it is about, and whether the dispute beside it is meant.
    #[must_use]
    pub(super) const fn place(&self) -> Option<(&Spanned<String>, bool)> {
        match self {
            Self::Customer(it) | Self::Market(it) => Some((&it.about, it.dispute)),
            Self::Support(it) => Some((&it.about, it.dispute)),
            Self::Reply(it) => Some((&it.about, it.dispute)),
            Self::Dispute(it) => Some((&it.about, true)),
            Self::Decide(it) => Some((&it.about, true)),
            Self::Escalate(it) | Self::Finish(it) => Some((&it.about, false)),
            Self::Wait(_) | Self::Until(_) | Self::Flood(_) => None,
        }
    }
}

/// A message of the customer or the market.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Line {
    /// The chat: the name of an order, a return, or a customer who asks directly.
    #[schemars(with = "String")]
    pub about: Spanned<String>,
    /// The dispute beside the chat is meant.
    #[serde(default)]
    pub dispute: bool,
    /// The text.
    pub says: Option<Text>,
    /// Files: `picture`, or paths relative to this file.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub sends: Vec<Spanned<String>>,
}

/// A message of support.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SupportLine {
    /// The chat: the name of an order, a return, or a customer who asks directly.
    #[schemars(with = "String")]
    pub about: Spanned<String>,
    /// The dispute beside the chat is meant.
    #[serde(default)]
    pub dispute: bool,
    /// The text.
    pub says: Option<Text>,
    /// Files: `picture`, or paths relative to this file.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub sends: Vec<Spanned<String>>,
    /// Whom the chat waits for then.
    pub wait_for: Option<WaitForName>,
}

/// A wait for the partner's answer.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Reply {
    /// The chat: the name of an order, a return, or a customer who asks directly.
    #[schemars(with = "String")]
    pub about: Spanned<String>,
    /// The dispute beside the chat is meant.
    #[serde(default)]
    pub dispute: bool,
    /// What the answer must have in it; any message will do if this is unsaid.
    pub matching: Option<Pattern>,
    /// How long it is waited for.
    pub within: Lapse,
    /// What happens once the partner has answered.
    #[serde(default)]
    pub then: Steps,
    /// What happens if the partner does not answer in time.
    #[serde(default)]
    pub otherwise: Steps,
}

/// The beginning of a dispute.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Opening {
    /// What is disputed: the name of an order or a return.
    #[schemars(with = "String")]
    pub about: Spanned<String>,
    /// What the customer writes to the arbiter.
    pub says: Option<Text>,
    /// Files: `picture`, or paths relative to this file.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub sends: Vec<Spanned<String>>,
}

/// The end of a dispute.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Verdict {
    /// What is disputed: the name of an order or a return.
    #[schemars(with = "String")]
    pub about: Spanned<String>,
    /// The verdict.
    pub says: Text,
}

/// An ordinary chat.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Whole {
    /// The chat: the name of an order, a return, or a customer who asks directly.
    #[schemars(with = "String")]
    pub about: Spanned<String>,
}

/// Many customers at once.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Flood {
    /// How many chats are started.
    #[schemars(range(min = 1, max = 100_000), with = "u32")]
    pub chats: Spanned<u32>,
    /// What each customer writes.
    pub says: Text,
}

/// What happens whenever the partner says something.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Rule {
    /// Which of the partner's messages are meant.
    #[serde(default)]
    pub when: When,
    /// How long after the message.
    pub after: Option<Lapse>,
    /// How often at most; once if this is unsaid.
    #[serde(default = "once")]
    #[schemars(range(min = 1))]
    pub times: u32,
    /// What happens.
    #[serde(rename = "do")]
    pub steps: Steps,
}

const fn once() -> u32 {
    1
}

/// A partner's message.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct When {
    /// In which chat; in any if this is unsaid.
    #[schemars(with = "Option<String>")]
    pub about: Option<Spanned<String>>,
    /// Disputes are meant, and not ordinary chats.
    #[serde(default)]
    pub dispute: bool,
    /// What the message must have in it.
    pub matching: Option<Pattern>,
}

/// What is expected of the partner.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Expectation {
    /// Each message of a customer is answered in time. Those in a chat that is finished by then need no answer.
    Answered(Answered),
    /// Each event of this type is accepted by a subscription in time.
    Acknowledged(Acknowledged),
    /// The chat has this status when the steps are over.
    Status(StatusIs),
    /// The partner says this before the steps are over.
    Partner(Said),
}

/// Each message of a customer is answered in time.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Answered {
    /// In which chat; in all if this is unsaid.
    #[schemars(with = "Option<String>")]
    pub about: Option<Spanned<String>>,
    /// Disputes are meant, and not ordinary chats.
    #[serde(default)]
    pub dispute: bool,
    /// In what time.
    pub within: Lapse,
}

/// Each event of a type is accepted by a subscription in time.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Acknowledged {
    /// The type.
    #[serde(rename = "type")]
    pub kind: NotificationName,
    /// In what time.
    pub within: Lapse,
}

/// A chat has a status when the steps are over.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct StatusIs {
    /// The chat: the name of an order, a return, or a customer who asks directly.
    #[schemars(with = "String")]
    pub about: Spanned<String>,
    /// The dispute beside the chat is meant.
    #[serde(default)]
    pub dispute: bool,
    /// The status.
    pub is: StatusName,
}

/// The partner says something before the steps are over.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Said {
    /// In which chat; in any if this is unsaid.
    #[schemars(with = "Option<String>")]
    pub about: Option<Spanned<String>>,
    /// Disputes are meant, and not ordinary chats.
    #[serde(default)]
    pub dispute: bool,
    /// What the message must have in it.
    pub matching: Option<Pattern>,
    /// How often, neither more nor less; at least once if this is unsaid.
    pub times: Option<u32>,
}
