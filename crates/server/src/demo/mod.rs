//! The demo: two businesses with chats that read like real ones, made through the same operations as
//! everything else. Its ids are small and fixed, so that examples can name them.

mod dialogues;
mod people;

use std::path::Path;

use anyhow::Context;
use bytes::Bytes;
use futures_util::stream;
use prilavok_domain::rules::{Initiator, WaitFor};
use prilavok_domain::{
    Business, BusinessId, BusinessState, Campaign, CampaignId, CampaignState, ChatId, ContextType,
    CredentialKind, CredentialName, Customer, FileName, IdSequence, MessageText, Name, Order, OrderId,
    Placement, PublicId, Return, ReturnId, Scope, ScopeSet, Sender, Timestamp,
};
use prilavok_store::files::FileStore;
use prilavok_store::sqlite::SqliteStore;
use prilavok_store::{
    ChatChange, ChatFilter, NewCredential, NewMessage, Registration, StartChat, Store, StoredFile, Subject,
};

use crate::app::App;
use crate::buyer::token;
use crate::secrets;
use dialogues::Line;

/// The order that has no chat, so that starting one can be tried.
const ORDER_WITHOUT_CHAT: i64 = 2;
/// Its chat is over: the questions of its dialogue are answered.
const FINISHED_ORDER: i64 = 3;
/// Its chat is with the marketplace: the parcel of its dialogue is lost.
const ESCALATED_ORDER: i64 = 9;
/// The domain of campaign 1, by which a store that has the demo is known.
const DOMAIN: &str = "lavka-u-mosta.example";
/// The customer for whom a buyer's token is made to try: of order 1, and so of chat 1.
const BUYER: (i64, &str) = (1, "customer-0002");
const ORDERS: i64 = 20;
const RETURNS: i64 = 5;
const MINUTE_MS: i64 = 60_000;
/// Chats began this far apart; the last ones a little before the demo was made.
const APART_MS: i64 = 67 * MINUTE_MS;
const CHATS_SPAN: i64 = 60;

/// The secrets that a demo is tried with. They are shown once and kept as hashes only.
pub struct DemoKeys {
    /// An Api-Key of business 1 that may talk to customers.
    pub seller: String,
    /// An Api-Key of business 1 that may only read.
    pub reader: String,
    /// An Api-Key of business 2.
    pub other_seller: String,
    /// A token of the Operator API.
    pub operator: String,
}

/// Whether a store has the demo in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seeded {
    /// It was empty, and has now.
    Now,
    /// It had already.
    Before,
    /// It has other data, and nothing was changed.
    No,
}

/// Fills the SQLite store at `database` with the demo, if nothing is registered in it yet.
pub async fn seed(database: &Path, files: &FileStore, now: Timestamp) -> anyhow::Result<Seeded> {
    let store = SqliteStore::open(database, IdSequence::plain())?;
    let seeded = fill(&store, files, now).await;
    store.close().await;
    seeded
}

/// The same in a store that is open, whose ids are what they are.
pub async fn fill(store: &dyn Store, files: &FileStore, now: Timestamp) -> anyhow::Result<Seeded> {
    let empty = store.businesses(None, 1).await?.is_empty() && store.customers(None, 1).await?.is_empty();
    Ok(if empty {
        let mut seeding = Seeding {
            store,
            files,
            now,
            chats: 0,
        };
        seeding.run().await?;
        Seeded::Now
    } else {
        let campaign = store.campaign(BusinessId::new(1)?, CampaignId::new(1)?).await?;
        match campaign {
            Some(campaign) if campaign.domain.as_str() == DOMAIN => Seeded::Before,
            _ => Seeded::No,
        }
    })
}

/// The chat that is read first: that about the first order, whose id is 1 where ids are small.
pub async fn first_chat(store: &dyn Store) -> anyhow::Result<ChatId> {
    let filter = ChatFilter {
        contexts: vec![(ContextType::Order, 1)],
        ..ChatFilter::default()
    };
    let found = store.chats(BusinessId::new(1)?, &filter, None, 1).await?;
    found
        .items
        .first()
        .map(|chat| chat.id)
        .context("the demo has no chat about order 1")
}

/// Makes the keys of a demo; those of an earlier start are revoked.
pub async fn keys(store: &dyn Store, now: Timestamp) -> anyhow::Result<DemoKeys> {
    let one = BusinessId::new(1)?;
    let communication = ScopeSet::of(&[Scope::Communication]);
    let operator = secrets::new_operator_token();
    store.create_operator_token(secrets::hash(&operator), now).await?;
    Ok(DemoKeys {
        seller: key(store, one, "demo", communication, now).await?,
        reader: key(
            store,
            one,
            "demo reader",
            ScopeSet::of(&[Scope::AllMethodsReadOnly]),
            now,
        )
        .await?,
        other_seller: key(store, BusinessId::new(2)?, "demo", communication, now).await?,
        operator,
    })
}

async fn key(
    store: &dyn Store,
    business: BusinessId,
    name: &str,
    scopes: ScopeSet,
    now: Timestamp,
) -> anyhow::Result<String> {
    for old in store.credentials(business, CredentialKind::ApiKey).await? {
        if old.name.as_str() == name && old.revoked_at.is_none() {
            store
                .revoke_credential(business, CredentialKind::ApiKey, old.id, now)
                .await?;
        }
    }
    new_key(store, business, name, scopes, now).await
}

/// Makes an Api-Key; answers its secret, which is kept nowhere.
pub async fn new_key(
    store: &dyn Store,
    business: BusinessId,
    name: &str,
    scopes: ScopeSet,
    now: Timestamp,
) -> anyhow::Result<String> {
    let secret = secrets::new_api_key();
    let new = NewCredential {
        business,
        kind: CredentialKind::ApiKey,
        name: CredentialName::new(name)?,
        scopes,
        campaigns: Vec::new(),
        hash: secrets::hash(&secret),
        expires_at: None,
    };
    store.create_credential(new, None, now).await?;
    Ok(secret)
}

struct Seeding<'a> {
    store: &'a dyn Store,
    files: &'a FileStore,
    now: Timestamp,
    chats: i64,
}

impl Seeding<'_> {
    async fn run(&mut self) -> anyhow::Result<()> {
        self.register().await?;
        let one = BusinessId::new(1)?;
        // Chats 1 to 4 are those that examples name.
        self.chat(one, Subject::Order(OrderId::new(1)?), None, dialogues::ORDER)
            .await?;
        let disputed = self
            .chat(one, Subject::Return(ReturnId::new(1)?), None, dialogues::RETURN)
            .await?;
        self.chat(
            one,
            Subject::Direct,
            Some(people::public_id(3)?),
            dialogues::DIRECT,
        )
        .await?;
        self.arbitration(one, disputed).await?;
        let mut others = dialogues::OTHERS.iter().cycle().copied();
        let mut next = || others.next().unwrap_or_default();
        for order in (1..=ORDERS).filter(|order| ![1, ORDER_WITHOUT_CHAT].contains(order)) {
            let chat = self
                .chat(one, Subject::Order(OrderId::new(order)?), None, next())
                .await?;
            let change = match order {
                FINISHED_ORDER => ChatChange::Finish,
                ESCALATED_ORDER => ChatChange::Escalate,
                _ => continue,
            };
            self.store.change_chat(one, chat, change, None, self.now).await?;
        }
        for returned in 2..=RETURNS {
            self.chat(
                one,
                Subject::Return(ReturnId::new(returned)?),
                None,
                dialogues::RETURN,
            )
            .await?;
        }
        for person in (0..people::COUNT).filter(|person| *person != 3) {
            self.chat(one, Subject::Direct, Some(people::public_id(person)?), next())
                .await?;
        }
        let two = BusinessId::new(2)?;
        self.chat(two, Subject::Order(OrderId::new(101)?), None, dialogues::ORDER)
            .await?;
        self.chat(
            two,
            Subject::Direct,
            Some(people::public_id(0)?),
            dialogues::DIRECT,
        )
        .await?;
        Ok(())
    }

    async fn register(&self) -> anyhow::Result<()> {
        let mut items = vec![
            business(1, "Лавка у моста")?,
            business(2, "Northern Lights Trading")?,
            campaign(1, 1, DOMAIN, Placement::Fbs)?,
            campaign(1, 2, "dostavka.lavka-u-mosta.example", Placement::Dbs)?,
            campaign(2, 3, "northern-lights.example", Placement::Fby)?,
        ];
        for person in 0..people::COUNT {
            items.push(Registration::Customer(Customer {
                public_id: people::public_id(person)?,
                name: Name::new(people::NAMES[person])?,
                erased_at: None,
            }));
        }
        for id in 1..=ORDERS {
            // The last two orders are of the campaign that delivers by itself, and one is a test.
            let campaign = if id > ORDERS - 2 { 2 } else { 1 };
            items.push(order(1, id, campaign, id == ORDERS)?);
        }
        for id in 1..=RETURNS {
            items.push(Registration::Return(Return {
                business: BusinessId::new(1)?,
                id: ReturnId::new(id)?,
                order: OrderId::new(id + 2)?,
            }));
        }
        items.push(order(2, 101, 3, false)?);
        items.push(order(2, 102, 3, false)?);
        self.store.register(items).await?;
        Ok(())
    }

    /// Starts a chat as its customer and lets everybody have their say.
    async fn chat(
        &mut self,
        business: BusinessId,
        subject: Subject,
        customer: Option<PublicId>,
        lines: &[Line],
    ) -> anyhow::Result<ChatId> {
        let began = self.next_start();
        let start = StartChat {
            initiator: Initiator::Customer,
            subject,
            customer,
        };
        let chat = self
            .store
            .start_chat(business, start, None, began)
            .await?
            .value
            .chat
            .id;
        self.say(business, chat, lines, began).await?;
        Ok(chat)
    }

    async fn arbitration(&mut self, business: BusinessId, beside: ChatId) -> anyhow::Result<()> {
        let began = self.next_start();
        let chat = self
            .store
            .start_arbitration(business, beside, None, began)
            .await?
            .value
            .id;
        self.say(business, chat, dialogues::ARBITRATION, began).await
    }

    fn next_start(&mut self) -> Timestamp {
        self.chats += 1;
        self.now.plus_millis((self.chats - CHATS_SPAN) * APART_MS)
    }

    async fn say(
        &self,
        business: BusinessId,
        chat: ChatId,
        lines: &[Line],
        began: Timestamp,
    ) -> anyhow::Result<()> {
        let mut at = began;
        for (number, (sender, text)) in lines.iter().enumerate() {
            at = at.plus_millis((3 + i64::try_from(number % 5)?) * MINUTE_MS);
            let message = match *text {
                dialogues::PICTURE => NewMessage {
                    sender: *sender,
                    text: None,
                    files: vec![self.picture(business, at).await?],
                    wait_for: None,
                },
                text => NewMessage {
                    sender: *sender,
                    text: Some(MessageText::new(text)?),
                    files: Vec::new(),
                    wait_for: (*sender == Sender::Support).then_some(WaitFor::Partner),
                },
            };
            self.store
                .append_message(business, chat, message, None, at)
                .await?;
        }
        Ok(())
    }

    async fn picture(&self, business: BusinessId, at: Timestamp) -> anyhow::Result<StoredFile> {
        let content = Bytes::from_static(include_bytes!("torn-box.png"));
        let content = stream::iter([Ok::<_, std::convert::Infallible>(content)]);
        let upload = self
            .files
            .put(business, at, content, prilavok_domain::message::MAX_FILE_BYTES)
            .await
            .map_err(|error| anyhow::anyhow!("the demo's picture could not be stored: {error:?}"))?;
        Ok(StoredFile {
            object: upload.object,
            name: FileName::from_client("коробка порвана.png"),
            size: upload.size,
            media_type: upload.media_type,
        })
    }
}

fn business(id: i64, name: &str) -> anyhow::Result<Registration> {
    Ok(Registration::Business(Business {
        id: BusinessId::new(id)?,
        name: Name::new(name)?,
        state: BusinessState::Active,
    }))
}

fn campaign(business: i64, id: i64, domain: &str, placement: Placement) -> anyhow::Result<Registration> {
    Ok(Registration::Campaign(Campaign {
        business: BusinessId::new(business)?,
        id: CampaignId::new(id)?,
        domain: Name::new(domain)?,
        placement,
        state: CampaignState::Available,
    }))
}

fn order(business: i64, id: i64, campaign: i64, test: bool) -> anyhow::Result<Registration> {
    Ok(Registration::Order(Order {
        business: BusinessId::new(business)?,
        id: OrderId::new(id)?,
        campaign: CampaignId::new(campaign)?,
        customer: people::public_id(usize::try_from(id)? % people::COUNT)?,
        test,
    }))
}

/// A token of the buyer of chat 1, good for an hour or for as long as the settings let it be.
pub async fn buyer_token(app: &App) -> anyhow::Result<String> {
    let minutes = app.settings.buyer.max_token_minutes.min(60);
    let secret = app.store.server_secret().await?;
    let business = BusinessId::new(BUYER.0)?;
    let customer = PublicId::new(BUYER.1)?;
    let signed = token::sign(
        &app.settings.buyer,
        &secret,
        business,
        &customer,
        app.now(),
        minutes,
    )?;
    Ok(signed.token)
}
