//! Keys and tokens.

use prilavok_domain::access::MAX_KEYS_PER_BUSINESS;
use prilavok_domain::id_sequence::IdFor;
use prilavok_domain::{BusinessId, CampaignId, CredentialId, CredentialKind, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row};

use super::registry::{self, must_exist};
use super::write::Write;
use super::{idempotency, meta, rows};
use crate::credentials::{campaigns_text, scopes_text};
use crate::{
    Applied, Conflict, Credential, CredentialChange, Entity, Idempotency, NewCredential, OperatorToken,
    Refusal, Result, SecretHash,
};

pub(super) fn create(
    write: &mut Write<'_>,
    new: &NewCredential,
    once: Option<&Idempotency>,
    now: Timestamp,
) -> Result<Applied<Credential>> {
    let conn = write.conn;
    if let Some(id) = idempotency::earlier(conn, new.business, once, now)? {
        let value = existing(conn, new.business, new.kind, CredentialId(id))?;
        return Ok(Applied {
            value,
            replayed: true,
        });
    }
    must_exist(registry::business(conn, new.business)?, || {
        Entity::Business(new.business)
    })?;
    campaigns_must_exist(conn, new.business, &new.campaigns)?;
    if new.kind == CredentialKind::ApiKey && unrevoked(conn, new.business, new.kind)? >= MAX_KEYS_PER_BUSINESS
    {
        return Err(Refusal::Conflict(Conflict::TooManyKeys).into());
    }
    name_must_be_free(conn, new.business, new.kind, new.name.as_str(), None)?;
    let id = write.next_id(IdFor::File, now);
    conn.prepare_cached(
        "INSERT INTO credential (business_id, credential_id, kind, name, scopes, campaigns, secret_hash,
             created_at, expires_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?
    .execute((
        new.business.get(),
        id,
        new.kind.as_str(),
        new.name.as_str(),
        scopes_text(new.scopes),
        campaigns_text(&new.campaigns),
        new.hash.0,
        now.as_millis(),
        new.expires_at.map(Timestamp::as_millis),
    ))?;
    meta::access_changed(conn)?;
    idempotency::remember(conn, new.business, once, id, now)?;
    let value = existing(conn, new.business, new.kind, CredentialId(id))?;
    Ok(Applied {
        value,
        replayed: false,
    })
}

pub(super) fn change(
    conn: &Connection,
    business: BusinessId,
    kind: CredentialKind,
    id: CredentialId,
    change: &CredentialChange,
) -> Result<Credential> {
    let there = existing(conn, business, kind, id)?;
    if there.revoked_at.is_some() {
        return Err(Refusal::Conflict(Conflict::Revoked).into());
    }
    let name = change.name.as_ref().unwrap_or(&there.name);
    let campaigns = change.campaigns.as_ref().unwrap_or(&there.campaigns);
    campaigns_must_exist(conn, business, campaigns)?;
    name_must_be_free(conn, business, kind, name.as_str(), Some(id))?;
    conn.prepare_cached(
        "UPDATE credential SET name = ?3, scopes = ?4, campaigns = ?5
         WHERE business_id = ?1 AND credential_id = ?2",
    )?
    .execute((
        business.get(),
        id.0,
        name.as_str(),
        scopes_text(change.scopes.unwrap_or(there.scopes)),
        campaigns_text(campaigns),
    ))?;
    meta::access_changed(conn)?;
    existing(conn, business, kind, id)
}

pub(super) fn revoke(
    conn: &Connection,
    business: BusinessId,
    kind: CredentialKind,
    id: CredentialId,
    now: Timestamp,
) -> Result<Credential> {
    let there = existing(conn, business, kind, id)?;
    if there.revoked_at.is_some() {
        return Ok(there);
    }
    conn.prepare_cached(
        "UPDATE credential SET revoked_at = ?3 WHERE business_id = ?1 AND credential_id = ?2",
    )?
    .execute((business.get(), id.0, now.as_millis()))?;
    meta::access_changed(conn)?;
    existing(conn, business, kind, id)
}

pub(super) fn list(conn: &Connection, business: BusinessId, kind: CredentialKind) -> Result<Vec<Credential>> {
    let columns = rows::CREDENTIAL;
    let mut statement = conn.prepare_cached(&format!(
        "SELECT {columns} FROM credential WHERE business_id = ?1 AND kind = ?2 ORDER BY credential_id"
    ))?;
    let found = statement.query_map((business.get(), kind.as_str()), rows::credential)?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}

pub(super) fn one(
    conn: &Connection,
    business: BusinessId,
    kind: CredentialKind,
    id: CredentialId,
) -> Result<Option<Credential>> {
    let columns = rows::CREDENTIAL;
    Ok(conn
        .prepare_cached(&format!(
            "SELECT {columns} FROM credential WHERE business_id = ?1 AND credential_id = ?2 AND kind = ?3"
        ))?
        .query_row((business.get(), id.0, kind.as_str()), rows::credential)
        .optional()?)
}

pub(super) fn by_hash(
    conn: &Connection,
    kind: CredentialKind,
    hash: SecretHash,
) -> Result<Option<Credential>> {
    let columns = rows::CREDENTIAL;
    Ok(conn
        .prepare_cached(&format!(
            "SELECT {columns} FROM credential WHERE secret_hash = ?1 AND kind = ?2"
        ))?
        .query_row((hash.0, kind.as_str()), rows::credential)
        .optional()?)
}

pub(super) fn create_operator_token(
    write: &mut Write<'_>,
    hash: SecretHash,
    now: Timestamp,
) -> Result<OperatorToken> {
    let id = write.next_id(IdFor::File, now);
    write
        .conn
        .prepare_cached("INSERT INTO operator_token (token_id, secret_hash, created_at) VALUES (?1, ?2, ?3)")?
        .execute((id, hash.0, now.as_millis()))?;
    meta::access_changed(write.conn)?;
    Ok(OperatorToken {
        id: CredentialId(id),
        created_at: now,
    })
}

fn read_operator_token(row: &Row<'_>) -> rusqlite::Result<OperatorToken> {
    Ok(OperatorToken {
        id: CredentialId(row.get(0)?),
        created_at: rows::time(row, 1, "created_at")?,
    })
}

pub(super) fn operator_token(conn: &Connection, hash: SecretHash) -> Result<Option<OperatorToken>> {
    Ok(conn
        .prepare_cached("SELECT token_id, created_at FROM operator_token WHERE secret_hash = ?1")?
        .query_row([hash.0], read_operator_token)
        .optional()?)
}

pub(super) fn operator_tokens(conn: &Connection) -> Result<Vec<OperatorToken>> {
    let mut statement =
        conn.prepare_cached("SELECT token_id, created_at FROM operator_token ORDER BY token_id")?;
    let found = statement.query_map([], read_operator_token)?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}

pub(super) fn revoke_operator_token(conn: &Connection, id: CredentialId) -> Result<bool> {
    let removed = conn
        .prepare_cached("DELETE FROM operator_token WHERE token_id = ?1")?
        .execute([id.0])?;
    meta::access_changed(conn)?;
    Ok(removed > 0)
}

fn existing(
    conn: &Connection,
    business: BusinessId,
    kind: CredentialKind,
    id: CredentialId,
) -> Result<Credential> {
    must_exist(one(conn, business, kind, id)?, || Entity::Credential(id))
}

fn unrevoked(conn: &Connection, business: BusinessId, kind: CredentialKind) -> Result<usize> {
    Ok(conn
        .prepare_cached(
            "SELECT count(*) FROM credential WHERE business_id = ?1 AND kind = ?2 AND revoked_at IS NULL",
        )?
        .query_row((business.get(), kind.as_str()), |row| row.get(0))?)
}

fn name_must_be_free(
    conn: &Connection,
    business: BusinessId,
    kind: CredentialKind,
    name: &str,
    except: Option<CredentialId>,
) -> Result<()> {
    let taken: bool = conn
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM credential WHERE business_id = ?1 AND kind = ?2 AND name = ?3
                 AND revoked_at IS NULL AND credential_id IS NOT ?4)",
        )?
        .query_row(
            (business.get(), kind.as_str(), name, except.map(|id| id.0)),
            |row| row.get(0),
        )?;
    if taken {
        Err(Refusal::Conflict(Conflict::NameTaken).into())
    } else {
        Ok(())
    }
}

fn campaigns_must_exist(conn: &Connection, business: BusinessId, campaigns: &[CampaignId]) -> Result<()> {
    for id in campaigns {
        must_exist(registry::campaign(conn, business, *id)?, || Entity::Campaign(*id))?;
    }
    Ok(())
}
