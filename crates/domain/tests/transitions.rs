//! Every transition of the chat rules, against a table written by hand.
//!
//! The table says what must happen, not how it is decided: a row for each event and type, a column
//! for each status. A combination without a row fails, so an event that is added cannot be forgotten.

use ChatStatus::{
    Finished, New, WaitingForArbiter as Arbiter, WaitingForCustomer as Customer, WaitingForMarket as Market,
    WaitingForPartner as Partner,
};
use ChatType::{Arbitrage, Chat};
use prilavok_domain::rules::{
    ChatState, Event, Initiator, NotificationType, RuleViolation, Subject, WaitFor, may_start_arbitration,
    may_start_chat,
};
use prilavok_domain::{ChatStatus, ChatType, ContextType, Placement, Sender};

/// What an event does to a chat.
#[derive(Debug, Clone, Copy)]
enum Then {
    /// The chat has this status now.
    Is(ChatStatus),
    /// It is refused for this reason.
    No(RuleViolation),
}
use Then::{Is, No};

/// The columns of [`TABLE`].
const STATUSES: [ChatStatus; 6] = [New, Customer, Partner, Arbiter, Market, Finished];

const UNCHANGED: [Then; 6] = [
    Is(New),
    Is(Customer),
    Is(Partner),
    Is(Arbiter),
    Is(Market),
    Is(Finished),
];

const fn says(sender: Sender) -> Event {
    Event::Message {
        sender,
        wait_for: None,
    }
}

const fn support_says(wait_for: WaitFor) -> Event {
    Event::Message {
        sender: Sender::Support,
        wait_for: Some(wait_for),
    }
}

/// The same status whatever it was, except that a finished chat refuses.
const fn open(then: ChatStatus, finished: RuleViolation) -> [Then; 6] {
    [Is(then), Is(then), Is(then), Is(then), Is(then), No(finished)]
}

/// Unchanged, except that a finished chat refuses.
const fn open_unchanged(finished: RuleViolation) -> [Then; 6] {
    let [new, customer, partner, arbiter, market, _] = UNCHANGED;
    [new, customer, partner, arbiter, market, No(finished)]
}

const fn over(sender: Sender) -> RuleViolation {
    RuleViolation::ChatFinished { sender }
}

const fn settled(sender: Sender) -> RuleViolation {
    RuleViolation::ArbitrationFinished { sender }
}

#[rustfmt::skip]
const TABLE: &[(ChatType, Event, [Then; 6])] = &[
    // A customer's message reopens a finished chat, never a finished arbitration.
    (Chat,      says(Sender::Customer),          [Is(Partner); 6]),
    (Arbitrage, says(Sender::Customer),          open(Arbiter, settled(Sender::Customer))),
    (Chat,      says(Sender::Partner),           open(Customer, over(Sender::Partner))),
    (Arbitrage, says(Sender::Partner),           open(Arbiter, settled(Sender::Partner))),
    // Support says what comes next, or leaves it.
    (Chat,      says(Sender::Support),           open_unchanged(over(Sender::Support))),
    (Arbitrage, says(Sender::Support),           open_unchanged(settled(Sender::Support))),
    (Chat,      support_says(WaitFor::Customer), open(Customer, over(Sender::Support))),
    (Arbitrage, support_says(WaitFor::Customer), open(Customer, settled(Sender::Support))),
    (Chat,      support_says(WaitFor::Partner),  open(Partner, over(Sender::Support))),
    (Arbitrage, support_says(WaitFor::Partner),  open(Partner, settled(Sender::Support))),
    (Chat,      support_says(WaitFor::Arbiter),  open(Arbiter, over(Sender::Support))),
    (Arbitrage, support_says(WaitFor::Arbiter),  open(Arbiter, settled(Sender::Support))),
    (Chat,      support_says(WaitFor::Market),   open(Market, over(Sender::Support))),
    (Arbitrage, support_says(WaitFor::Market),   open(Market, settled(Sender::Support))),
    // The market's automatic messages come at any time and move nothing.
    (Chat,      says(Sender::Market),            UNCHANGED),
    (Arbitrage, says(Sender::Market),            UNCHANGED),
    (Chat,      Event::Escalated,                open(Market, RuleViolation::EscalatedFinished)),
    (Arbitrage, Event::Escalated,                [No(RuleViolation::EscalatedArbitration); 6]),
    (Chat,      Event::Finished,                 open(Finished, RuleViolation::AlreadyFinished)),
    (Arbitrage, Event::Finished,                 open(Finished, RuleViolation::AlreadyFinished)),
];

/// Every event that the types allow, the nonsensical ones included.
fn every_event() -> Vec<Event> {
    let mut events = vec![Event::Escalated, Event::Finished];
    for sender in Sender::ALL {
        for wait_for in std::iter::once(None).chain(WaitFor::ALL.iter().copied().map(Some)) {
            events.push(Event::Message {
                sender: *sender,
                wait_for,
            });
        }
    }
    events
}

/// What the table says of an event, or the one rule that needs no row: `waitFor` is support's alone.
fn expected(kind: ChatType, event: Event, status: ChatStatus) -> Then {
    match event {
        Event::Message {
            sender,
            wait_for: Some(_),
        } if sender != Sender::Support => No(RuleViolation::WaitForNotSupport { sender }),
        _ => {
            let rows: Vec<_> = TABLE
                .iter()
                .filter(|row| (row.0, row.1) == (kind, event))
                .collect();
            assert_eq!(rows.len(), 1, "rows for {event:?} in {kind}");
            let column = STATUSES.iter().position(|one| *one == status);
            rows[0].2[column.expect("a column for every status")]
        }
    }
}

#[test]
fn every_event_in_every_state_does_what_the_table_says() {
    let mut seen = 0;
    for event in every_event() {
        for kind in ChatType::ALL.iter().copied() {
            for status in ChatStatus::ALL.iter().copied() {
                let wanted = match expected(kind, event, status) {
                    Is(status) => Ok(ChatState { kind, status }),
                    No(violation) => Err(violation),
                };
                let got = ChatState { kind, status }.apply(event);
                assert_eq!(got, wanted, "{event:?} in {kind} {status}");
                seen += 1;
            }
        }
    }
    assert_eq!(seen, 22 * 2 * 6, "events × types × statuses");
}

#[test]
fn sellers_are_told_of_messages_and_of_the_end_of_arbitrations() {
    let message = Some(NotificationType::ChatMessageSent);
    for event in every_event() {
        for status in ChatStatus::ALL.iter().copied() {
            let (in_chat, in_arbitration) = match event {
                Event::Message { .. } => (message, message),
                Event::Escalated => (None, None),
                Event::Finished => (None, Some(NotificationType::ChatArbitrageFinished)),
            };
            for (kind, wanted) in [(Chat, in_chat), (Arbitrage, in_arbitration)] {
                let got = ChatState { kind, status }.notification(event);
                assert_eq!(got, wanted, "{event:?} in {kind} {status}");
            }
        }
    }
}

#[test]
fn who_may_start_a_chat_about_what() {
    let returned = |placement, test| Subject::Return { placement, test };
    let allowed = Ok(ChatState {
        kind: Chat,
        status: New,
    });
    let placement = Err(RuleViolation::PlacementNotAllowed);
    let test_return = Err(RuleViolation::TestReturn);
    #[rustfmt::skip]
    let table = [
        // subject                            partner                              customer or operator
        (Subject::Order,                      allowed,                             allowed),
        (Subject::Direct,                     Err(RuleViolation::DirectByPartner), allowed),
        (returned(Placement::Fbs, false),     allowed,                             allowed),
        (returned(Placement::Fby, false),     allowed,                             allowed),
        (returned(Placement::Express, false), allowed,                             allowed),
        (returned(Placement::Dbs, false),     placement,                           allowed),
        (returned(Placement::Laas, false),    placement,                           allowed),
        (returned(Placement::Fbs, true),      test_return,                         test_return),
        (returned(Placement::Fby, true),      test_return,                         test_return),
        (returned(Placement::Express, true),  test_return,                         test_return),
        (returned(Placement::Dbs, true),      test_return,                         test_return),
        (returned(Placement::Laas, true),     test_return,                         test_return),
    ];
    assert_eq!(
        table.len(),
        2 + 2 * Placement::ALL.len(),
        "a row for every subject"
    );
    for (subject, partner, customer) in table {
        assert_eq!(
            may_start_chat(Initiator::Partner, subject),
            partner,
            "{subject:?}"
        );
        assert_eq!(
            may_start_chat(Initiator::Customer, subject),
            customer,
            "{subject:?}"
        );
    }
}

#[test]
fn an_arbitration_starts_beside_an_ordinary_chat_and_alone_in_its_context() {
    let allowed = Ok(ChatState {
        kind: Arbitrage,
        status: Arbiter,
    });
    let beside_another = Err(RuleViolation::ArbitrationOfArbitration);
    let of_direct = Err(RuleViolation::ArbitrationOfDirect);
    let second = Err(RuleViolation::ArbitrationUnfinished);
    #[rustfmt::skip]
    let table = [
        // beside    about                none unfinished  one unfinished
        (Chat,      ContextType::Order,  allowed,         second),
        (Chat,      ContextType::Return, allowed,         second),
        (Chat,      ContextType::Direct, of_direct,       of_direct),
        (Arbitrage, ContextType::Order,  beside_another,  beside_another),
        (Arbitrage, ContextType::Return, beside_another,  beside_another),
        (Arbitrage, ContextType::Direct, beside_another,  beside_another),
    ];
    assert_eq!(table.len(), ChatType::ALL.len() * ContextType::ALL.len());
    for (beside, about, without, with) in table {
        assert_eq!(
            may_start_arbitration(beside, about, false),
            without,
            "{beside} {about}"
        );
        assert_eq!(
            may_start_arbitration(beside, about, true),
            with,
            "{beside} {about}"
        );
    }
}

#[test]
fn a_refusal_names_its_rule_and_whom_it_is_about() {
    for (violation, text) in [
        (
            over(Sender::Partner),
            "The chat is finished: PARTNER cannot write to it",
        ),
        (
            settled(Sender::Customer),
            "The arbitration is finished: CUSTOMER cannot write to it",
        ),
        (
            RuleViolation::WaitForNotSupport {
                sender: Sender::Market,
            },
            "waitFor is allowed for SUPPORT messages only, not for MARKET",
        ),
        (
            // Fixed by the contract, word for word.
            RuleViolation::PlacementNotAllowed,
            "Campaign type is not allowed. Allowed campaign types: 'FBS, FBY, EXPRESS'",
        ),
    ] {
        assert_eq!(violation.to_string(), text);
    }
}
