//! The parameters in path and query that the operations have: names, ranges, defaults.

/// Where a parameter stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// In the path.
    Path,
    /// In the query.
    Query,
}

/// What a parameter may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParameterKind {
    /// An id: a 64-bit integer, at least 1.
    Id,
    /// A 32-bit integer.
    Int32 {
        /// The least value.
        min: i32,
        /// The greatest value.
        max: i32,
        /// The value where the parameter is absent.
        default: Option<i32>,
    },
    /// Any text.
    Text,
}

/// One parameter of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// Other names that mean the same.
    pub aliases: &'static [&'static str],
    /// Where it stands.
    pub place: Place,
    /// What it may be.
    pub kind: ParameterKind,
    /// Whether it must be there.
    pub required: bool,
    /// Whether clients should use something else.
    pub deprecated: bool,
    /// What it means, for people.
    pub description: &'static str,
}

const fn id(place: Place, name: &'static str, description: &'static str) -> Parameter {
    Parameter {
        name,
        aliases: &[],
        place,
        kind: ParameterKind::Id,
        required: true,
        deprecated: false,
        description,
    }
}

const fn int32(
    name: &'static str,
    (min, max): (i32, i32),
    default: Option<i32>,
    description: &'static str,
) -> Parameter {
    Parameter {
        name,
        aliases: &[],
        place: Place::Query,
        kind: ParameterKind::Int32 { min, max, default },
        required: false,
        deprecated: false,
        description,
    }
}

/// The business in the address.
pub const BUSINESS_ID: Parameter = id(Place::Path, "businessId", "The business whose chats are meant.");
/// The campaign in the address.
pub const CAMPAIGN_ID: Parameter = id(Place::Path, "campaignId", "The campaign that is meant.");
/// The chat.
pub const CHAT_ID: Parameter = id(Place::Query, "chatId", "The chat.");
/// The message.
pub const MESSAGE_ID: Parameter = id(Place::Query, "messageId", "The message.");
/// The place in a list where a page begins.
pub const PAGE_TOKEN: Parameter = Parameter {
    name: "pageToken",
    aliases: &["page_token"],
    place: Place::Query,
    kind: ParameterKind::Text,
    required: false,
    deprecated: false,
    description: "Where the page begins: `nextPageToken` of the page before, with the same filters as before. \
                  Absent or empty: the first page.",
};
/// The last event that a client of live events saw.
pub const LAST_EVENT_ID: Parameter = Parameter {
    name: "lastEventId",
    aliases: &[],
    place: Place::Query,
    kind: ParameterKind::Text,
    required: false,
    deprecated: false,
    description: "For clients that cannot send the header `Last-Event-ID`, which counts before it: the id of the \
                  last event seen. The stream goes on with the next one; `0` asks for every event that is kept. \
                  Absent: only what happens from now on.",
};
/// The size of a page of chats.
pub const LIMIT_CHATS: Parameter = int32("limit", (1, 20), Some(10), "The most chats on the page.");
/// The size of a page of messages.
pub const LIMIT_MESSAGES: Parameter = int32("limit", (1, 100), Some(50), "The most messages on the page.");
/// The size of a page of campaigns.
pub const LIMIT_CAMPAIGNS: Parameter = int32(
    "limit",
    (1, 100),
    None,
    "The most campaigns on the page. With `limit` or `pageToken` the list is paged by token, and `page` and \
     `pageSize` are ignored.",
);
/// The number of a page of campaigns.
pub const PAGE: Parameter = Parameter {
    deprecated: true,
    ..int32(
        "page",
        (1, 10_000),
        Some(1),
        "The number of the page, together with `pageSize`.",
    )
};
/// The size of a numbered page of campaigns.
pub const PAGE_SIZE: Parameter = Parameter {
    deprecated: true,
    ..int32(
        "pageSize",
        (1, i32::MAX),
        Some(50),
        "The most campaigns on a numbered page.",
    )
};
