//! Keys and tokens.

use prilavok_domain::access::MAX_KEYS_PER_BUSINESS;
use prilavok_domain::id_sequence::IdFor;
use prilavok_domain::{BusinessId, CampaignId, CredentialId, CredentialKind, Timestamp};
use tokio_postgres::Row;

use super::db::Source;
use super::statements::statements;
use super::transaction::{Question, Write, kept};
use super::{idempotency, registry, rows};
use crate::columns;
use crate::error::must_exist;
use crate::{
    Applied, Conflict, Credential, CredentialChange, Entity, Idempotency, NewCredential, OperatorToken,
    Refusal, Result, SecretHash,
};

/// The columns of [`rows::credential`].
macro_rules! credentials {
    ($rest:literal) => {
        concat!(
            "SELECT business_id, credential_id, kind, name, scopes, campaigns, created_at, expires_at, revoked_at \
             FROM credential WHERE ",
            $rest
        )
    };
}

statements! {
    LIST = credentials!("business_id = $1 AND kind = $2 ORDER BY credential_id");
    ONE = credentials!("business_id = $1 AND credential_id = $2 AND kind = $3");
    BY_HASH = credentials!("secret_hash = $1 AND kind = $2"),
        across: "who presents a secret does not say whose it is";
    UNREVOKED = "SELECT count(*) FROM credential WHERE business_id = $1 AND kind = $2 AND revoked_at IS NULL";
    NAME_TAKEN = "SELECT EXISTS (SELECT 1 FROM credential WHERE business_id = $1 AND kind = $2 AND name = $3 \
        AND revoked_at IS NULL AND credential_id IS DISTINCT FROM $4)";
    INSERT = "INSERT INTO credential (business_id, credential_id, kind, name, scopes, campaigns, secret_hash, \
            created_at, expires_at) \
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    CHANGE = "UPDATE credential SET name = $3, scopes = $4, campaigns = $5 WHERE business_id = $1 AND credential_id = $2";
    REVOKE = "UPDATE credential SET revoked_at = $3 WHERE business_id = $1 AND credential_id = $2";
    ADD_TOKEN = "INSERT INTO operator_token (token_id, secret_hash, created_at) VALUES ($1, $2, $3)",
        across: "the operator's tokens belong to no business";
    TOKENS = "SELECT token_id, created_at FROM operator_token ORDER BY token_id",
        across: "the operator's tokens belong to no business";
    TOKEN_BY_HASH = "SELECT token_id, created_at FROM operator_token WHERE secret_hash = $1",
        across: "the operator's tokens belong to no business";
    REMOVE_TOKEN = "DELETE FROM operator_token WHERE token_id = $1",
        across: "the operator's tokens belong to no business";
}

pub(super) async fn create(
    write: &Write,
    new: &NewCredential,
    once: Option<&Idempotency>,
    now: Timestamp,
) -> Result<Applied<Credential>> {
    let (business, kind, name) = (new.business.get(), new.kind.as_str(), new.name.as_str());
    let campaigns: Vec<i64> = new.campaigns.iter().map(|id| id.get()).collect();
    let questions: &[Question<'_>] = &[
        (registry::LOCK_BUSINESS, &[&business]),
        (UNREVOKED, &[&business, &kind]),
        (NAME_TAKEN, &[&business, &kind, &name, &None::<i64>]),
        (registry::CAMPAIGNS_NAMED, &[&business, &campaigns]),
    ];
    let (earlier, answers) = idempotency::ask(write, new.business, once, now, questions).await?;
    if let Some(id) = earlier {
        return Ok(Applied::before(
            existing(write, new.business, new.kind, CredentialId(id)).await?,
        ));
    }
    let first = |at: usize| answers.get(at).and_then(|rows| rows.first());
    must_exist(first(0), || Entity::Business(new.business))?;
    all_must_exist(&new.campaigns, answers.get(3).map_or(&[], Vec::as_slice))?;
    let unrevoked: Option<i64> = first(1).map(|row| rows::get(row, 0)).transpose()?;
    if new.kind == CredentialKind::ApiKey && unrevoked >= Some(rows::count(MAX_KEYS_PER_BUSINESS)) {
        return Err(Refusal::Conflict(Conflict::TooManyKeys).into());
    }
    must_be_free(first(2))?;
    let made = Credential {
        business: new.business,
        id: CredentialId(write.next_id(IdFor::File, now)),
        kind: new.kind,
        name: new.name.clone(),
        scopes: new.scopes,
        campaigns: in_order(&new.campaigns),
        created_at: now,
        expires_at: new.expires_at,
        revoked_at: None,
    };
    write.put(
        INSERT,
        kept![
            business,
            made.id.0,
            kind,
            name.to_owned(),
            columns::scopes_text(made.scopes),
            columns::campaigns_text(&made.campaigns),
            new.hash.0.to_vec(),
            now.as_millis(),
            made.expires_at.map(Timestamp::as_millis),
        ],
    );
    write.access_changes();
    idempotency::remember(write, new.business, once, made.id.0, now);
    Ok(Applied::now(made))
}

/// A set of campaigns, in order of id, however it was given.
fn in_order(campaigns: &[CampaignId]) -> Vec<CampaignId> {
    let mut ordered = campaigns.to_vec();
    ordered.sort_unstable();
    ordered.dedup();
    ordered
}

pub(super) async fn change(
    write: &Write,
    business: BusinessId,
    kind: CredentialKind,
    id: CredentialId,
    change: &CredentialChange,
) -> Result<Credential> {
    write.ask(registry::LOCK_BUSINESS, &[&business.get()]).await?;
    let there = existing(write, business, kind, id).await?;
    if there.revoked_at.is_some() {
        return Err(Refusal::Conflict(Conflict::Revoked).into());
    }
    let changed = Credential {
        name: change.name.clone().unwrap_or(there.name),
        scopes: change.scopes.unwrap_or(there.scopes),
        campaigns: in_order(change.campaigns.as_ref().unwrap_or(&there.campaigns)),
        ..there
    };
    let (tenant, numbers) = (
        business.get(),
        changed.campaigns.iter().map(|id| id.get()).collect::<Vec<_>>(),
    );
    let questions: &[Question<'_>] = &[
        (registry::CAMPAIGNS_NAMED, &[&tenant, &numbers]),
        (
            NAME_TAKEN,
            &[&tenant, &kind.as_str(), &changed.name.as_str(), &Some(id.0)],
        ),
    ];
    let answers = write.ask_all(questions).await?;
    all_must_exist(&changed.campaigns, answers.first().map_or(&[], Vec::as_slice))?;
    must_be_free(answers.get(1).and_then(|rows| rows.first()))?;
    write.put(
        CHANGE,
        kept![
            tenant,
            id.0,
            changed.name.as_str().to_owned(),
            columns::scopes_text(changed.scopes),
            columns::campaigns_text(&changed.campaigns),
        ],
    );
    write.access_changes();
    Ok(changed)
}

pub(super) async fn revoke(
    write: &Write,
    business: BusinessId,
    kind: CredentialKind,
    id: CredentialId,
    now: Timestamp,
) -> Result<Credential> {
    write.ask(registry::LOCK_BUSINESS, &[&business.get()]).await?;
    let there = existing(write, business, kind, id).await?;
    if there.revoked_at.is_some() {
        return Ok(there);
    }
    write.put(REVOKE, kept![business.get(), id.0, now.as_millis()]);
    write.access_changes();
    Ok(Credential {
        revoked_at: Some(now),
        ..there
    })
}

fn all_must_exist(campaigns: &[CampaignId], found: &[Row]) -> Result<()> {
    let found = found
        .iter()
        .map(|row| rows::get::<i64>(row, 1))
        .collect::<Result<Vec<_>>>()?;
    campaigns
        .iter()
        .try_for_each(|id| must_exist(found.contains(&id.get()).then_some(()), || Entity::Campaign(*id)))
}

fn must_be_free(taken: Option<&Row>) -> Result<()> {
    match taken.map(|row| rows::get(row, 0)).transpose()? {
        Some(true) => Err(Refusal::Conflict(Conflict::NameTaken).into()),
        Some(false) | None => Ok(()),
    }
}

pub(super) async fn list(
    source: &impl Source,
    business: BusinessId,
    kind: CredentialKind,
) -> Result<Vec<Credential>> {
    source
        .all(LIST, &[&business.get(), &kind.as_str()], rows::credential)
        .await
}

pub(super) async fn one(
    source: &impl Source,
    business: BusinessId,
    kind: CredentialKind,
    id: CredentialId,
) -> Result<Option<Credential>> {
    source
        .first(ONE, &[&business.get(), &id.0, &kind.as_str()], rows::credential)
        .await
}

async fn existing(
    source: &impl Source,
    business: BusinessId,
    kind: CredentialKind,
    id: CredentialId,
) -> Result<Credential> {
    must_exist(one(source, business, kind, id).await?, || Entity::Credential(id))
}

pub(super) async fn by_hash(
    source: &impl Source,
    kind: CredentialKind,
    hash: SecretHash,
) -> Result<Option<Credential>> {
    source
        .first(BY_HASH, &[&hash.0.as_slice(), &kind.as_str()], rows::credential)
        .await
}

#[expect(
    clippy::unused_async,
    reason = "a write is waited for, whether it asks anything or not"
)]
pub(super) async fn create_operator_token(
    write: &Write,
    hash: SecretHash,
    now: Timestamp,
) -> Result<OperatorToken> {
    let id = write.next_id(IdFor::File, now);
    write.put(ADD_TOKEN, kept![id, hash.0.to_vec(), now.as_millis()]);
    write.access_changes();
    Ok(OperatorToken {
        id: CredentialId(id),
        created_at: now,
    })
}

fn token(row: &Row) -> Result<OperatorToken> {
    Ok(OperatorToken {
        id: CredentialId(rows::get(row, 0)?),
        created_at: rows::time(row, 1, "created_at")?,
    })
}

pub(super) async fn operator_token(source: &impl Source, hash: SecretHash) -> Result<Option<OperatorToken>> {
    source.first(TOKEN_BY_HASH, &[&hash.0.as_slice()], token).await
}

pub(super) async fn operator_tokens(source: &impl Source) -> Result<Vec<OperatorToken>> {
    source.all(TOKENS, &[], token).await
}

pub(super) async fn revoke_operator_token(write: &Write, id: CredentialId) -> Result<bool> {
    let removed = write.change(REMOVE_TOKEN, &[&id.0]).await?;
    write.access_changes();
    Ok(removed > 0)
}
