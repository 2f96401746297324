//! What stays true of a chat whatever happens to it, in whatever order: properties over random
//! sequences of events, legal and illegal ones mixed.

use prilavok_domain::rules::{ChatState, Event, RuleViolation, WaitFor};
use prilavok_domain::{ChatStatus, ChatType, Sender};
use proptest::prelude::*;

fn events() -> impl Strategy<Value = Vec<Event>> {
    let message = (
        prop::sample::select(Sender::ALL),
        prop::option::weighted(0.3, prop::sample::select(WaitFor::ALL)),
    )
        .prop_map(|(sender, wait_for)| Event::Message { sender, wait_for });
    let event = prop_oneof![
        6 => message,
        1 => Just(Event::Escalated),
        1 => Just(Event::Finished),
    ];
    prop::collection::vec(event, 1..60)
}

/// Runs the events and answers each with the states around it; a refused one moves nothing.
fn run(
    start: ChatState,
    events: Vec<Event>,
) -> Vec<(ChatState, Event, Result<ChatState, RuleViolation>, ChatState)> {
    let mut state = start;
    let mut steps = Vec::new();
    for event in events {
        let result = state.apply(event);
        let after = result.unwrap_or(state);
        steps.push((state, event, result, after));
        state = after;
    }
    steps
}

fn sender_of(event: Event) -> Option<Sender> {
    match event {
        Event::Message { sender, .. } => Some(sender),
        Event::Escalated | Event::Finished => None,
    }
}

fn says_wait_for(event: Event) -> bool {
    matches!(
        event,
        Event::Message {
            wait_for: Some(_),
            ..
        }
    )
}

proptest! {
    #[test]
    fn the_type_of_a_chat_never_changes(events in events()) {
        for start in [ChatState::NEW_CHAT, ChatState::NEW_ARBITRATION] {
            for (_, event, _, after) in run(start, events.clone()) {
                prop_assert_eq!(after.kind, start.kind, "after {:?}", event);
            }
        }
    }

    #[test]
    fn only_the_customer_reopens_a_finished_chat(events in events()) {
        for (before, event, _, after) in run(ChatState::NEW_CHAT, events) {
            if before.status == ChatStatus::Finished && after.status != ChatStatus::Finished {
                prop_assert_eq!(sender_of(event), Some(Sender::Customer));
                prop_assert_eq!(after.status, ChatStatus::WaitingForPartner);
            }
        }
    }

    #[test]
    fn a_finished_arbitration_stays_finished(events in events()) {
        let start = ChatState { kind: ChatType::Arbitrage, status: ChatStatus::Finished };
        for (_, event, result, after) in run(start, events) {
            prop_assert_eq!(after, start, "after {:?}", event);
            // The market's automatic messages are all that it takes.
            let by_market = sender_of(event) == Some(Sender::Market) && !says_wait_for(event);
            prop_assert_eq!(result.is_ok(), by_market, "{:?}", event);
        }
    }

    #[test]
    fn nothing_makes_a_chat_new_again(events in events()) {
        let mut left = false;
        for (_, event, _, after) in run(ChatState::NEW_CHAT, events.clone()) {
            left |= after.status != ChatStatus::New;
            prop_assert!(!left || after.status != ChatStatus::New, "after {:?}", event);
        }
        for (_, event, _, after) in run(ChatState::NEW_ARBITRATION, events) {
            prop_assert_ne!(after.status, ChatStatus::New, "an arbitration, after {:?}", event);
        }
    }

    #[test]
    fn an_arbitration_waits_for_its_arbiter_unless_support_says_otherwise(events in events()) {
        let unsaid = events.into_iter().filter(|event| !says_wait_for(*event)).collect();
        for (_, event, _, after) in run(ChatState::NEW_ARBITRATION, unsaid) {
            let allowed = [ChatStatus::WaitingForArbiter, ChatStatus::Finished];
            prop_assert!(allowed.contains(&after.status), "{} after {:?}", after.status, event);
        }
    }

    #[test]
    fn the_market_is_never_refused_and_moves_nothing(events in events()) {
        for start in [ChatState::NEW_CHAT, ChatState::NEW_ARBITRATION] {
            for (_, _, _, after) in run(start, events.clone()) {
                let message = Event::Message { sender: Sender::Market, wait_for: None };
                prop_assert_eq!(after.apply(message), Ok(after));
            }
        }
    }

    #[test]
    fn a_customer_can_always_write_to_an_ordinary_chat(events in events()) {
        for (_, _, _, after) in run(ChatState::NEW_CHAT, events) {
            let message = Event::Message { sender: Sender::Customer, wait_for: None };
            let expected = ChatState { kind: ChatType::Chat, status: ChatStatus::WaitingForPartner };
            prop_assert_eq!(after.apply(message), Ok(expected));
        }
    }

    #[test]
    fn a_chat_comes_to_the_market_by_escalation_or_by_support(events in events()) {
        for (before, event, _, after) in run(ChatState::NEW_CHAT, events) {
            let came = before.status != after.status && after.status == ChatStatus::WaitingForMarket;
            let by_support = sender_of(event) == Some(Sender::Support) && says_wait_for(event);
            prop_assert!(!came || by_support || event == Event::Escalated, "after {:?}", event);
        }
    }
}
