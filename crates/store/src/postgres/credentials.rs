//! Keys and tokens.

use deadpool_postgres::GenericClient;
use prilavok_domain::access::MAX_KEYS_PER_BUSINESS;
use prilavok_domain::id_sequence::IdFor;
use prilavok_domain::{BusinessId, CampaignId, CredentialId, CredentialKind, CredentialName, Timestamp};
use tokio_postgres::Row;

use super::meta::Version;
use super::registry::{self, must_exist};
use super::statements::statements;
use super::work::Work;
use super::{idempotency, rows};
use crate::credentials::{campaigns_text, read_campaigns, read_scopes, scopes_text};
use crate::{
    Applied, Conflict, Credential, CredentialChange, Entity, Idempotency, NewCredential, OperatorToken,
    Refusal, Result, SecretHash,
};

/// The columns of [`read`].
macro_rules! credential {
    () => {
        "business_id, credential_id, kind, name, scopes, campaigns, created_at, expires_at, revoked_at"
    };
}

statements! {
    INSERT = "INSERT INTO credential (business_id, credential_id, kind, name, scopes, campaigns, secret_hash, created_at,
            expires_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    CHANGE = "UPDATE credential SET name = $3, scopes = $4, campaigns = $5 WHERE business_id = $1 AND credential_id = $2";
    REVOKE = "UPDATE credential SET revoked_at = $3 WHERE business_id = $1 AND credential_id = $2";
    LIST = concat!("SELECT ", credential!(), " FROM credential
        WHERE business_id = $1 AND kind = $2 ORDER BY credential_id");
    ONE = concat!("SELECT ", credential!(), " FROM credential
        WHERE business_id = $1 AND credential_id = $2 AND kind = $3");
    BY_HASH = concat!("SELECT ", credential!(), " FROM credential WHERE secret_hash = $1 AND kind = $2");
    /// Keys of one business are made one after the other, so that no two are both the thirtieth.
    LOCK = "SELECT business_id FROM business WHERE business_id = $1 FOR UPDATE";
    UNREVOKED = "SELECT count(*) FROM credential WHERE business_id = $1 AND kind = $2 AND revoked_at IS NULL";
    NAME_TAKEN = "SELECT EXISTS (SELECT 1 FROM credential WHERE business_id = $1 AND kind = $2 AND name = $3
        AND revoked_at IS NULL AND credential_id IS DISTINCT FROM $4)";
    NEW_TOKEN = "INSERT INTO operator_token (token_id, secret_hash, created_at) VALUES ($1, $2, $3)";
    TOKEN_BY_HASH = "SELECT token_id, created_at FROM operator_token WHERE secret_hash = $1";
    TOKENS = "SELECT token_id, created_at FROM operator_token ORDER BY token_id";
    REVOKE_TOKEN = "DELETE FROM operator_token WHERE token_id = $1";
}

pub(super) async fn create(
    work: &mut Work<'_>,
    new: &NewCredential,
    once: Option<&Idempotency>,
    now: Timestamp,
) -> Result<Applied<Credential>> {
    let business = new.business;
    if let Some(id) = idempotency::earlier(&work.tx, business, once, now).await? {
        return Ok(Applied {
            value: existing(&work.tx, business, new.kind, CredentialId(id)).await?,
            replayed: true,
        });
    }
    must_exist(rows::query_opt(&work.tx, LOCK, &[&business.get()]).await?, || {
        Entity::Business(business)
    })?;
    campaigns_must_exist(&work.tx, business, &new.campaigns).await?;
    if new.kind == CredentialKind::ApiKey {
        let row = rows::query_one(&work.tx, UNREVOKED, &[&business.get(), &new.kind.as_str()]).await?;
        if rows::unsigned::<usize>(&row, 0, "count")? >= MAX_KEYS_PER_BUSINESS {
            return Err(Refusal::Conflict(Conflict::TooManyKeys).into());
        }
    }
    name_must_be_free(&work.tx, business, new.kind, &new.name, None).await?;
    let id = work.next_id(IdFor::File, now);
    rows::execute(
        &work.tx,
        INSERT,
        &[
            &business.get(),
            &id,
            &new.kind.as_str(),
            &new.name.as_str(),
            &scopes_text(new.scopes),
            &campaigns_text(&new.campaigns),
            &new.hash.0.as_slice(),
            &now.as_millis(),
            &new.expires_at.map(Timestamp::as_millis),
        ],
    )
    .await?;
    work.raise(Version::Access);
    idempotency::remember(&work.tx, business, once, id, now).await?;
    Ok(Applied {
        value: existing(&work.tx, business, new.kind, CredentialId(id)).await?,
        replayed: false,
    })
}

pub(super) async fn change(
    work: &mut Work<'_>,
    business: BusinessId,
    kind: CredentialKind,
    id: CredentialId,
    change: &CredentialChange,
) -> Result<Credential> {
    rows::query_opt(&work.tx, LOCK, &[&business.get()]).await?;
    let there = existing(&work.tx, business, kind, id).await?;
    if there.revoked_at.is_some() {
        return Err(Refusal::Conflict(Conflict::Revoked).into());
    }
    let name = change.name.as_ref().unwrap_or(&there.name);
    let campaigns = change.campaigns.as_ref().unwrap_or(&there.campaigns);
    campaigns_must_exist(&work.tx, business, campaigns).await?;
    name_must_be_free(&work.tx, business, kind, name, Some(id)).await?;
    let (scopes, campaigns) = (
        scopes_text(change.scopes.unwrap_or(there.scopes)),
        campaigns_text(campaigns),
    );
    let values: &rows::Values<'_> = &[&business.get(), &id.0, &name.as_str(), &scopes, &campaigns];
    rows::execute(&work.tx, CHANGE, values).await?;
    work.raise(Version::Access);
    existing(&work.tx, business, kind, id).await
}

pub(super) async fn revoke(
    work: &mut Work<'_>,
    business: BusinessId,
    kind: CredentialKind,
    id: CredentialId,
    now: Timestamp,
) -> Result<Credential> {
    rows::query_opt(&work.tx, LOCK, &[&business.get()]).await?;
    let there = existing(&work.tx, business, kind, id).await?;
    if there.revoked_at.is_some() {
        return Ok(there);
    }
    rows::execute(&work.tx, REVOKE, &[&business.get(), &id.0, &now.as_millis()]).await?;
    work.raise(Version::Access);
    existing(&work.tx, business, kind, id).await
}

pub(super) async fn list(
    conn: &impl GenericClient,
    business: BusinessId,
    kind: CredentialKind,
) -> Result<Vec<Credential>> {
    let found = rows::query(conn, LIST, &[&business.get(), &kind.as_str()]).await?;
    found.iter().map(read).collect()
}

pub(super) async fn one(
    conn: &impl GenericClient,
    business: BusinessId,
    kind: CredentialKind,
    id: CredentialId,
) -> Result<Option<Credential>> {
    let found = rows::query_opt(conn, ONE, &[&business.get(), &id.0, &kind.as_str()]).await?;
    found.as_ref().map(read).transpose()
}

pub(super) async fn by_hash(
    conn: &impl GenericClient,
    kind: CredentialKind,
    hash: SecretHash,
) -> Result<Option<Credential>> {
    let found = rows::query_opt(conn, BY_HASH, &[&hash.0.as_slice(), &kind.as_str()]).await?;
    found.as_ref().map(read).transpose()
}

fn read(row: &Row) -> Result<Credential> {
    Ok(Credential {
        business: rows::id(row, 0, "business_id")?,
        id: CredentialId(rows::get(row, 1)?),
        kind: rows::named(row, 2, "kind")?,
        name: rows::checked(row, 3, "name", CredentialName::new)?,
        scopes: rows::checked(row, 4, "scopes", |text| read_scopes(&text))?,
        campaigns: rows::checked(row, 5, "campaigns", |text| read_campaigns(&text))?,
        created_at: rows::time(row, 6, "created_at")?,
        expires_at: rows::optional(row, 7, "expires_at", Timestamp::from_millis)?,
        revoked_at: rows::optional(row, 8, "revoked_at", Timestamp::from_millis)?,
    })
}

pub(super) async fn create_operator_token(
    work: &mut Work<'_>,
    hash: SecretHash,
    now: Timestamp,
) -> Result<OperatorToken> {
    let id = work.next_id(IdFor::File, now);
    rows::execute(&work.tx, NEW_TOKEN, &[&id, &hash.0.as_slice(), &now.as_millis()]).await?;
    work.raise(Version::Access);
    Ok(OperatorToken {
        id: CredentialId(id),
        created_at: now,
    })
}

fn read_token(row: &Row) -> Result<OperatorToken> {
    Ok(OperatorToken {
        id: CredentialId(rows::get(row, 0)?),
        created_at: rows::time(row, 1, "created_at")?,
    })
}

pub(super) async fn operator_token(
    conn: &impl GenericClient,
    hash: SecretHash,
) -> Result<Option<OperatorToken>> {
    let found = rows::query_opt(conn, TOKEN_BY_HASH, &[&hash.0.as_slice()]).await?;
    found.as_ref().map(read_token).transpose()
}

pub(super) async fn operator_tokens(conn: &impl GenericClient) -> Result<Vec<OperatorToken>> {
    let found = rows::query(conn, TOKENS, &[]).await?;
    found.iter().map(read_token).collect()
}

pub(super) async fn revoke_operator_token(work: &mut Work<'_>, id: CredentialId) -> Result<bool> {
    let removed = rows::execute(&work.tx, REVOKE_TOKEN, &[&id.0]).await?;
    work.raise(Version::Access);
    Ok(removed > 0)
}

async fn existing(
    conn: &impl GenericClient,
    business: BusinessId,
    kind: CredentialKind,
    id: CredentialId,
) -> Result<Credential> {
    must_exist(one(conn, business, kind, id).await?, || Entity::Credential(id))
}

async fn name_must_be_free(
    conn: &impl GenericClient,
    business: BusinessId,
    kind: CredentialKind,
    name: &CredentialName,
    except: Option<CredentialId>,
) -> Result<()> {
    let except = except.map(|id| id.0);
    let values: &rows::Values<'_> = &[&business.get(), &kind.as_str(), &name.as_str(), &except];
    match rows::get(&rows::query_one(conn, NAME_TAKEN, values).await?, 0)? {
        true => Err(Refusal::Conflict(Conflict::NameTaken).into()),
        false => Ok(()),
    }
}

async fn campaigns_must_exist(
    conn: &impl GenericClient,
    business: BusinessId,
    campaigns: &[CampaignId],
) -> Result<()> {
    for id in campaigns {
        must_exist(registry::campaign(conn, business, *id).await?, || {
            Entity::Campaign(*id)
        })?;
    }
    Ok(())
}
