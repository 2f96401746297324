//! The chat rules: the one place that says which event is legal, and what it does to a chat.
//!
//! A chat's state is its type and status. [`ChatState::apply`] is every transition; the functions
//! beside it decide whether a chat or a dispute may begin at all. Nothing here knows who asks.

use crate::named::named_enum;
use crate::{ChatStatus, ChatType, ContextType, Customer, Placement, Sender, Timestamp};

/// The placements whose campaigns may have chats about returns that a partner starts.
pub const RETURN_CHAT_PLACEMENTS: [Placement; 3] = [Placement::Fbs, Placement::Fby, Placement::Express];

named_enum! {
    /// Whom a SUPPORT message leaves the chat waiting for.
    pub enum WaitFor {
        /// The buyer.
        Customer = "CUSTOMER",
        /// The seller.
        Partner = "PARTNER",
        /// The arbiter.
        Arbiter = "ARBITER",
        /// The marketplace.
        Market = "MARKET",
    }
}

named_enum! {
    /// What sellers are told about.
    pub enum NotificationType {
        /// A chat began.
        ChatCreated = "CHAT_CREATED",
        /// A message was written.
        ChatMessageSent = "CHAT_MESSAGE_SENT",
        /// A dispute began.
        ChatArbitrageStarted = "CHAT_ARBITRAGE_STARTED",
        /// A dispute ended.
        ChatArbitrageFinished = "CHAT_ARBITRAGE_FINISHED",
    }
}

/// What can happen to a chat that exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// Somebody writes; `wait_for` counts for SUPPORT only.
    Message {
        /// Who writes.
        sender: Sender,
        /// What SUPPORT says comes next.
        wait_for: Option<WaitFor>,
    },
    /// The chat is handed to the marketplace.
    Escalated,
    /// The operator ends it: the dispute of an `ARBITRAGE`, the conversation of a `CHAT`.
    Finished,
}

/// Who begins a chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Initiator {
    /// The seller's side, through the Partner API.
    Partner,
    /// The buyer, or the operator for the buyer.
    Customer,
}

/// The part of a chat that the rules look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ChatState {
    /// The type; no event changes it.
    pub kind: ChatType,
    /// The status.
    pub status: ChatStatus,
}

/// The rule that an illegal event breaks. Its text is what clients are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RuleViolation {
    /// A finished chat takes no messages from the partner and from support.
    #[error("The chat is finished: {sender} cannot write to it")]
    ChatFinished {
        /// Who tried to write.
        sender: Sender,
    },
    /// A finished dispute is never reopened, not even by its customer.
    #[error("The arbitration is finished: {sender} cannot write to it")]
    ArbitrationFinished {
        /// Who tried to write.
        sender: Sender,
    },
    /// Only SUPPORT says whom a chat waits for.
    #[error("waitFor is allowed for SUPPORT messages only, not for {sender}")]
    WaitForNotSupport {
        /// Who tried to.
        sender: Sender,
    },
    /// Disputes are with the arbiter already.
    #[error("An arbitration cannot be escalated: only a chat of type CHAT can")]
    EscalatedArbitration,
    /// What is finished cannot be escalated.
    #[error("The chat is finished: it cannot be escalated")]
    EscalatedFinished,
    /// What is finished stays so.
    #[error("The chat is already finished")]
    AlreadyFinished,
    /// Partners answer direct questions, they do not ask them.
    #[error("A partner cannot start a DIRECT chat")]
    DirectByPartner,
    /// Returns of this placement are not discussed in chats that partners start.
    #[error("Campaign type is not allowed. Allowed campaign types: 'FBS, FBY, EXPRESS'")]
    PlacementNotAllowed,
    /// A return of a test order has no chat.
    #[error("A return of a test order cannot have a chat")]
    TestReturn,
    /// A dispute needs something to dispute.
    #[error("An arbitration is about an ORDER or a RETURN, not about a DIRECT chat")]
    ArbitrationOfDirect,
    /// A dispute begins beside an ordinary chat, not beside a dispute.
    #[error("An arbitration starts from a chat of type CHAT")]
    ArbitrationOfArbitration,
    /// One dispute at a time.
    #[error("The context has an unfinished arbitration already")]
    ArbitrationUnfinished,
    /// Nothing new is kept about somebody who was erased.
    #[error("The customer was erased: nobody writes to them until the marketplace registers them anew")]
    CustomerErased,
}

impl ChatState {
    /// An ordinary chat that has just begun.
    pub const NEW_CHAT: Self = Self {
        kind: ChatType::Chat,
        status: ChatStatus::New,
    };

    /// A dispute that has just begun.
    pub const NEW_ARBITRATION: Self = Self {
        kind: ChatType::Arbitrage,
        status: ChatStatus::WaitingForArbiter,
    };

    /// The state after `event`, or the rule that forbids it.
    pub fn apply(self, event: Event) -> Result<Self, RuleViolation> {
        let status = match event {
            Event::Message { sender, wait_for } => self.after_message(sender, wait_for)?,
            Event::Escalated => match (self.kind, self.status) {
                (ChatType::Arbitrage, _) => return Err(RuleViolation::EscalatedArbitration),
                (ChatType::Chat, ChatStatus::Finished) => {
                    return Err(RuleViolation::EscalatedFinished);
                }
                (ChatType::Chat, _) => ChatStatus::WaitingForMarket,
            },
            Event::Finished if self.status == ChatStatus::Finished => {
                return Err(RuleViolation::AlreadyFinished);
            }
            Event::Finished => ChatStatus::Finished,
        };
        Ok(Self {
            kind: self.kind,
            status,
        })
    }

    fn after_message(self, sender: Sender, wait_for: Option<WaitFor>) -> Result<ChatStatus, RuleViolation> {
        if wait_for.is_some() && sender != Sender::Support {
            return Err(RuleViolation::WaitForNotSupport { sender });
        }
        let finished = self.status == ChatStatus::Finished;
        match (self.kind, sender) {
            // The market writes into what is finished as well, and a customer opens their chat again.
            (_, Sender::Market) | (ChatType::Chat, Sender::Customer) => {}
            (ChatType::Chat, _) if finished => return Err(RuleViolation::ChatFinished { sender }),
            (ChatType::Arbitrage, _) if finished => {
                return Err(RuleViolation::ArbitrationFinished { sender });
            }
            _ => {}
        }
        let said = wait_for.map(WaitFor::status);
        Ok(waits_after(self.kind, sender).or(said).unwrap_or(self.status))
    }

    /// What sellers are told after `event` was applied to a chat in this state.
    #[must_use]
    pub const fn notification(self, event: Event) -> Option<NotificationType> {
        match (event, self.kind) {
            (Event::Message { .. }, _) => Some(NotificationType::ChatMessageSent),
            (Event::Finished, ChatType::Arbitrage) => Some(NotificationType::ChatArbitrageFinished),
            (Event::Finished, ChatType::Chat) | (Event::Escalated, _) => None,
        }
    }
}

/// The status that a message of `sender` leaves a chat of this type in, where nothing else decides that.
#[must_use]
pub const fn waits_after(kind: ChatType, sender: Sender) -> Option<ChatStatus> {
    match (kind, sender) {
        (ChatType::Chat, Sender::Customer) => Some(ChatStatus::WaitingForPartner),
        (ChatType::Chat, Sender::Partner) => Some(ChatStatus::WaitingForCustomer),
        (ChatType::Arbitrage, Sender::Customer | Sender::Partner) => Some(ChatStatus::WaitingForArbiter),
        (_, Sender::Market | Sender::Support) => None,
    }
}

impl WaitFor {
    const fn status(self) -> ChatStatus {
        match self {
            Self::Customer => ChatStatus::WaitingForCustomer,
            Self::Partner => ChatStatus::WaitingForPartner,
            Self::Arbiter => ChatStatus::WaitingForArbiter,
            Self::Market => ChatStatus::WaitingForMarket,
        }
    }
}

/// What a chat that is to begin would be about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// An order; test orders may have chats.
    Order,
    /// A return.
    Return {
        /// How the order's campaign sells.
        placement: Placement,
        /// Whether the order was a test.
        test: bool,
    },
    /// A direct question.
    Direct,
}

/// Whether `initiator` may begin a chat about `subject`.
pub fn may_start_chat(initiator: Initiator, subject: Subject) -> Result<ChatState, RuleViolation> {
    match (subject, initiator) {
        (Subject::Return { test: true, .. }, _) => Err(RuleViolation::TestReturn),
        (Subject::Return { placement, .. }, Initiator::Partner)
            if !RETURN_CHAT_PLACEMENTS.contains(&placement) =>
        {
            Err(RuleViolation::PlacementNotAllowed)
        }
        (Subject::Direct, Initiator::Partner) => Err(RuleViolation::DirectByPartner),
        _ => Ok(ChatState::NEW_CHAT),
    }
}

/// Whether something new may be kept about a customer.
pub fn may_be_kept_about(customer: &Customer) -> Result<(), RuleViolation> {
    must_not_be_erased(customer.erased_at)
}

fn must_not_be_erased(erased_at: Option<Timestamp>) -> Result<(), RuleViolation> {
    match erased_at {
        None => Ok(()),
        Some(_) => Err(RuleViolation::CustomerErased),
    }
}

/// Whether `sender` may write into a chat of a customer who was erased then, if ever. The marketplace's people may in any
/// case: disputes have to be settled, and they know whom they write about.
pub fn may_write_to(erased_at: Option<Timestamp>, sender: Sender) -> Result<(), RuleViolation> {
    match sender {
        Sender::Support => Ok(()),
        Sender::Customer | Sender::Partner | Sender::Market => must_not_be_erased(erased_at),
    }
}

/// Whether a dispute may begin beside a chat of type `beside` about `context`, where the context
/// has an unfinished dispute or not.
pub fn may_start_arbitration(
    beside: ChatType,
    context: ContextType,
    unfinished: bool,
) -> Result<ChatState, RuleViolation> {
    match (beside, context) {
        (ChatType::Arbitrage, _) => Err(RuleViolation::ArbitrationOfArbitration),
        (ChatType::Chat, ContextType::Direct) => Err(RuleViolation::ArbitrationOfDirect),
        (ChatType::Chat, _) if unfinished => Err(RuleViolation::ArbitrationUnfinished),
        (ChatType::Chat, _) => Ok(ChatState::NEW_ARBITRATION),
    }
}
