//! The marketplace's pages with a text in every field that shows one from outside.

use prilavok_domain::event::{DisabledBy, Outcome};
use prilavok_domain::rules::NotificationType;
use prilavok_domain::{
    AuditLine, Business, BusinessId, BusinessState, Campaign, CampaignId, CampaignState, Chat, CredentialId,
    DecidedFor, Deed, Event, EventId, Message, MessageText, Name, Placement, ScopeSet, SubscriptionId,
    Timestamp, Verdict,
};
use prilavok_pages::Frame;
use prilavok_pages::desk::{Beside, Desk, Dispute, DisputeNews, List, ListPart, Row};
use prilavok_pages::operator::{
    Audit, BusinessPage, Businesses, Deliveries, Delivery, DeliveryFilter, InUse, Key, Limits, NewKey, Pager,
    Request, RequestFilter, RequestPage, Requests, Said, Subscription, SubscriptionPage,
};

fn when() -> Timestamp {
    Timestamp::from_millis(1_800_000_000_000).expect("in range")
}

fn shop() -> BusinessId {
    BusinessId::new(1).expect("an id")
}

pub(crate) fn verdict(hostile: &str) -> Verdict {
    Verdict {
        decided_for: DecidedFor::Both,
        text: MessageText::new(hostile).expect("a text"),
        at: when(),
        by: CredentialId(9),
    }
}

fn line(deed: Deed, hostile: &str) -> AuditLine {
    AuditLine {
        id: 1,
        at: when(),
        by: CredentialId(9),
        deed,
        business: shop(),
        chat: None,
        about: hostile.to_owned(),
    }
}

fn shown(view: &dyn askama::DynTemplate) -> String {
    view.dyn_render().expect("a page")
}

/// The pages, by whatever name.
pub(crate) fn pages(
    hostile: &str,
    frame: &dyn Fn() -> Frame,
    chat: &Chat,
    messages: &dyn Fn() -> Vec<Message>,
) -> Vec<(&'static str, String)> {
    let mut all = desk(hostile, frame, chat, messages);
    all.extend(businesses(hostile, frame));
    all.extend(logs(hostile, frame));
    all
}

fn desk(
    hostile: &str,
    frame: &dyn Fn() -> Frame,
    chat: &Chat,
    messages: &dyn Fn() -> Vec<Message>,
) -> Vec<(&'static str, String)> {
    let list = || List {
        rows: vec![Row {
            chat: chat.clone(),
            business: hostile.to_owned(),
            current: true,
        }],
        more: Some("1-1-1".to_owned()),
        first: false,
        now: when(),
    };
    let dispute = || Dispute {
        chat: chat.clone(),
        business: hostile.to_owned(),
        store: Some(hostile.to_owned()),
        messages: messages(),
        earlier: true,
        beside: Some(Beside {
            chat: chat.clone(),
            messages: messages(),
            earlier: true,
        }),
        verdict: Some(verdict(hostile)),
        audit: vec![line(Deed::Settled, hostile), line(Deed::Wrote, hostile)],
        once: ["a".to_owned(), "b".to_owned()],
    };
    vec![
        (
            "desk",
            shown(&Desk {
                frame: frame(),
                list: list(),
                dispute: Some(dispute()),
            }),
        ),
        (
            "disputes",
            shown(&ListPart {
                frame: frame(),
                list: list(),
            }),
        ),
        (
            "dispute",
            shown(&DisputeNews {
                frame: frame(),
                dispute: dispute(),
            }),
        ),
    ]
}

fn pager() -> Pager {
    Pager {
        first: "/ui/operator".to_owned(),
        is_first: false,
        next: Some("/ui/operator?after=1".to_owned()),
    }
}

fn business(hostile: &str) -> Business {
    Business {
        id: shop(),
        name: Name::new(hostile.replace('\t', " ")).expect("a name"),
        state: BusinessState::Active,
    }
}

fn subscription(hostile: &str, disabled: Option<DisabledBy>) -> Subscription {
    Subscription {
        id: SubscriptionId::new(5).expect("an id"),
        name: hostile.to_owned(),
        url: hostile.to_owned(),
        types: "CHAT_CREATED".to_owned(),
        disabled,
        failing_since: Some(when()),
        next_try_at: Some(when()),
    }
}

fn delivery(hostile: &str) -> Delivery {
    Delivery {
        id: 4,
        subscription: SubscriptionId::new(5).expect("an id"),
        event: Event {
            id: EventId::new(6).expect("an id"),
            business: shop(),
            kind: NotificationType::ChatCreated,
            chat: prilavok_domain::ChatId::new(1).expect("an id"),
            message: None,
            at: when(),
        },
        at: when(),
        duration_ms: 3,
        status: Some(500),
        error: Some(hostile.to_owned()),
        answer: hostile.to_owned(),
        outcome: Outcome::Failed,
    }
}

fn limits() -> Vec<InUse> {
    vec![InUse {
        operation: "getChats",
        used: 3,
        limit: Some(10),
        until: when(),
    }]
}

fn businesses(hostile: &str, frame: &dyn Fn() -> Frame) -> Vec<(&'static str, String)> {
    let campaign = Campaign {
        business: shop(),
        id: CampaignId::new(2).expect("an id"),
        domain: Name::new(hostile.replace('\t', " ")).expect("a name"),
        placement: Placement::Fbs,
        state: CampaignState::Available,
    };
    let key = Key {
        id: CredentialId(3),
        name: hostile.to_owned(),
        scopes: ScopeSet::ANY,
        created_at: when(),
        revoked_at: None,
    };
    let once = || ["a".to_owned(), "b".to_owned()];
    vec![
        (
            "businesses",
            shown(&Businesses {
                frame: frame(),
                businesses: vec![business(hostile)],
                pager: pager(),
            }),
        ),
        (
            "business",
            shown(&BusinessPage {
                frame: frame(),
                business: business(hostile),
                campaigns: vec![campaign],
                keys: vec![key],
                subscriptions: vec![subscription(hostile, None)],
                limits: limits(),
                once: once(),
            }),
        ),
        (
            "new key",
            shown(&NewKey {
                frame: frame(),
                business: shop(),
                name: hostile.to_owned(),
                secret: Some("secret".to_owned()),
            }),
        ),
        (
            "subscription",
            shown(&SubscriptionPage {
                frame: frame(),
                business: shop(),
                subscription: subscription(hostile, Some(DisabledBy::Failures)),
                last_failure: Some(delivery(hostile)),
                queued: Some(1),
                once: once(),
            }),
        ),
        (
            "limits",
            shown(&Limits {
                frame: frame(),
                businesses: vec![(business(hostile), limits())],
                pager: pager(),
            }),
        ),
    ]
}

fn logs(hostile: &str, frame: &dyn Fn() -> Frame) -> Vec<(&'static str, String)> {
    let request = || Request {
        place: 8,
        at: when(),
        took_us: 400,
        id: hostile.to_owned(),
        method: hostile.to_owned(),
        target: hostile.to_owned(),
        operation: Some(hostile.to_owned()),
        business: Some(shop()),
        key: Some(hostile.to_owned()),
        status: 404,
        rule: Some(hostile.to_owned()),
    };
    let said = || Said {
        headers: hostile.to_owned(),
        body: hostile.to_owned(),
        cut: true,
    };
    vec![
        (
            "deliveries",
            shown(&Deliveries {
                frame: frame(),
                business: shop(),
                subscriptions: vec![subscription(hostile, None)],
                filter: DeliveryFilter {
                    from: hostile.to_owned(),
                    until: hostile.to_owned(),
                    ..DeliveryFilter::default()
                },
                deliveries: vec![delivery(hostile)],
                queued: Some(1),
                once: "once".to_owned(),
                pager: pager(),
            }),
        ),
        (
            "requests",
            shown(&Requests {
                frame: frame(),
                filter: RequestFilter {
                    business: hostile.to_owned(),
                    operation: hostile.to_owned(),
                    status: hostile.to_owned(),
                    from: hostile.to_owned(),
                    until: hostile.to_owned(),
                },
                operations: vec!["getChats"],
                requests: vec![request()],
                pager: pager(),
            }),
        ),
        (
            "request",
            shown(&RequestPage {
                frame: frame(),
                request: request(),
                asked: said(),
                answered: said(),
                curl: Some(hostile.to_owned()),
            }),
        ),
        (
            "audit",
            shown(&Audit {
                frame: frame(),
                lines: vec![line(Deed::CreatedKey, hostile), line(Deed::ChangedState, hostile)],
                pager: pager(),
            }),
        ),
    ]
}
