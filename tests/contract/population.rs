//! Who is there when a test begins.
//!
//! Business 1 has campaigns 1 (FBS), 2 (DBS) and 3 (FBY, switched off), orders 1–6, returns 1–3 and four
//! chats: 1 about order 1, 2 about return 1, 3 direct, 4 the arbitration of order 1. Business 2 has
//! campaign 4 and chat 5. Businesses 3, 4 and 5 are disabled, migrating, and without an available
//! campaign.

use prilavok_domain::rules::Initiator;
use prilavok_domain::{
    Business, BusinessId, BusinessState, Campaign, CampaignId, CampaignState, ChatId, Clock, CredentialKind,
    CredentialName, Customer, ManualClock, MessageText, Name, Order, OrderId, Placement, PublicId, Return,
    ReturnId, Scope, ScopeSet, Sender, Timestamp,
};
use prilavok_server::secrets;
use prilavok_store::{NewCredential, NewMessage, Registration, StartChat, Store, Subject};

/// Secrets of what may call.
pub(crate) struct Keys {
    /// Business 1, everything.
    pub(crate) all: String,
    /// Business 1, everything that reads.
    pub(crate) read_only: String,
    /// Business 1, chats.
    pub(crate) communication: String,
    /// Business 1, prices.
    pub(crate) pricing: String,
    /// Business 1, revoked.
    pub(crate) revoked: String,
    /// Business 2, everything.
    pub(crate) other: String,
    /// Businesses 3, 4 and 5.
    pub(crate) disabled: String,
    pub(crate) migrating: String,
    pub(crate) without_campaigns: String,
    /// Business 1, all campaigns.
    pub(crate) oauth: String,
    /// Business 1, campaign 2 alone.
    pub(crate) oauth_one_campaign: String,
    /// Business 1, revoked.
    pub(crate) oauth_revoked: String,
}

/// How long the OAuth tokens live.
pub(crate) const OAUTH_LIFE_MS: i64 = 365 * 24 * 3_600_000;

pub(crate) fn business(id: i64) -> BusinessId {
    BusinessId::new(id).expect("an id")
}

pub(crate) fn chat(id: i64) -> ChatId {
    ChatId::new(id).expect("an id")
}

fn campaign(id: i64) -> CampaignId {
    CampaignId::new(id).expect("an id")
}

fn name(text: &str) -> Name {
    Name::new(text).expect("a name")
}

fn customer(id: &str) -> PublicId {
    PublicId::new(id).expect("an id")
}

fn registrations() -> Vec<Registration> {
    let mut all = Vec::new();
    for (id, called, state) in [
        (1, "Лавка", BusinessState::Active),
        (2, "Other shop", BusinessState::Active),
        (3, "Closed shop", BusinessState::Disabled),
        (4, "Moving shop", BusinessState::Migrating),
        (5, "Idle shop", BusinessState::Active),
    ] {
        all.push(Registration::Business(Business {
            id: business(id),
            name: name(called),
            state,
        }));
    }
    for (of, id, placement, state) in [
        (1, 1, Placement::Fbs, CampaignState::Available),
        (1, 2, Placement::Dbs, CampaignState::Available),
        (1, 3, Placement::Fby, CampaignState::ManuallyDisabled),
        (2, 4, Placement::Fby, CampaignState::Available),
        (5, 5, Placement::Express, CampaignState::DisabledByInactivity),
    ] {
        all.push(Registration::Campaign(Campaign {
            business: business(of),
            id: campaign(id),
            domain: name(&format!("shop-{id}.example")),
            placement,
            state,
        }));
    }
    for (id, called) in [
        ("anna", "Анна К."),
        ("john", "John \"Johnny\" D."),
        ("li", "李明"),
    ] {
        all.push(Registration::Customer(Customer {
            public_id: customer(id),
            name: name(called),
            erased_at: None,
        }));
    }
    for (of, id, from, by, test) in [
        (1, 1, 1, "anna", false),
        (1, 2, 1, "john", false),
        (1, 3, 1, "li", false),
        (1, 4, 2, "anna", false),
        (1, 5, 1, "john", true),
        (1, 6, 2, "li", false),
        (2, 1, 4, "john", false),
    ] {
        all.push(Registration::Order(Order {
            business: business(of),
            id: OrderId::new(id).expect("an id"),
            campaign: campaign(from),
            customer: customer(by),
            test,
        }));
    }
    for (id, order) in [(1, 1), (2, 4), (3, 5)] {
        all.push(Registration::Return(Return {
            business: business(1),
            id: ReturnId::new(id).expect("an id"),
            order: OrderId::new(order).expect("an id"),
        }));
    }
    all
}

/// Puts everybody there.
pub(crate) async fn populate(store: &dyn Store, clock: &ManualClock) -> Keys {
    store.register(registrations()).await.expect("registered");
    chats(store, clock).await;
    let now = clock.now();
    let key = async |of, called: &str, scopes: &[Scope]| {
        let secret = secrets::new_api_key();
        add(
            store,
            now,
            of,
            (CredentialKind::ApiKey, called, &secret),
            ScopeSet::of(scopes),
            &[],
        )
        .await;
        secret
    };
    let token = async |called: &str, campaigns: &[i64]| {
        let secret = secrets::new_oauth_token();
        let scopes = ScopeSet::of(&[Scope::AllMethods]);
        add(
            store,
            now,
            1,
            (CredentialKind::OAuthToken, called, &secret),
            scopes,
            campaigns,
        )
        .await;
        secret
    };
    let everything = &[Scope::AllMethods];
    let keys = Keys {
        all: key(1, "CRM", everything).await,
        read_only: key(1, "Reports", &[Scope::AllMethodsReadOnly]).await,
        communication: key(1, "Helpdesk", &[Scope::Communication]).await,
        pricing: key(1, "Prices", &[Scope::Pricing, Scope::PricingReadOnly]).await,
        revoked: key(1, "Lost", everything).await,
        other: key(2, "CRM", everything).await,
        disabled: key(3, "CRM", everything).await,
        migrating: key(4, "CRM", everything).await,
        without_campaigns: key(5, "CRM", everything).await,
        oauth: token("Bot", &[]).await,
        oauth_one_campaign: token("Bot of one store", &[2]).await,
        oauth_revoked: token("Lost bot", &[]).await,
    };
    for (kind, called) in [
        (CredentialKind::ApiKey, "Lost"),
        (CredentialKind::OAuthToken, "Lost bot"),
    ] {
        let all = store.credentials(business(1), kind).await.expect("a list");
        let lost = all.iter().find(|one| one.name.as_str() == called).expect("there");
        store
            .revoke_credential(business(1), kind, lost.id, now)
            .await
            .expect("revoked");
    }
    keys
}

async fn add(
    store: &dyn Store,
    now: Timestamp,
    of: i64,
    (kind, called, secret): (CredentialKind, &str, &str),
    scopes: ScopeSet,
    campaigns: &[i64],
) {
    let new = NewCredential {
        business: business(of),
        kind,
        name: CredentialName::new(called).expect("a name"),
        scopes,
        campaigns: campaigns.iter().map(|id| campaign(*id)).collect(),
        hash: secrets::hash(secret),
        expires_at: (kind == CredentialKind::OAuthToken).then(|| now.plus_millis(OAUTH_LIFE_MS)),
    };
    store.create_credential(new, None, now).await.expect("added");
}

async fn chats(store: &dyn Store, clock: &ManualClock) {
    let order = |id| Subject::Order(OrderId::new(id).expect("an id"));
    let returned = Subject::Return(ReturnId::new(1).expect("an id"));
    start(store, clock, 1, order(1), None).await;
    start(store, clock, 1, returned, None).await;
    start(store, clock, 1, Subject::Direct, Some("li")).await;
    clock.advance(1_213);
    let dispute = store
        .start_arbitration(business(1), chat(1), None, clock.now())
        .await
        .expect("started");
    assert_eq!(dispute.value.id, chat(4));
    start(store, clock, 2, order(1), None).await;
    for (of, id, sender, text) in [
        (1, 1, Sender::Customer, "Здравствуйте! Когда приедет мой заказ?"),
        (1, 1, Sender::Partner, "Добрый день! Завтра с 10 до 14."),
        (1, 3, Sender::Customer, "你好 🙂"),
        (2, 5, Sender::Customer, "Is it still available?"),
    ] {
        clock.advance(60_000);
        write(store, clock, of, id, sender, text).await;
    }
    clock.advance(-4 * 60_000 - 1_213);
}

async fn start(store: &dyn Store, clock: &ManualClock, of: i64, subject: Subject, by: Option<&str>) {
    let start = StartChat {
        initiator: Initiator::Customer,
        subject,
        customer: by.map(customer),
    };
    store
        .start_chat(business(of), start, None, clock.now())
        .await
        .expect("started");
}

/// Writes a message beside the server.
pub(crate) async fn write(
    store: &dyn Store,
    clock: &ManualClock,
    of: i64,
    id: i64,
    sender: Sender,
    text: &str,
) {
    let new = NewMessage {
        sender,
        text: Some(MessageText::new(text).expect("a text")),
        files: Vec::new(),
        wait_for: None,
    };
    store
        .append_message(business(of), chat(id), new, None, clock.now())
        .await
        .expect("written");
}
