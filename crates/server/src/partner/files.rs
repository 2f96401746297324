//! A file sent into a chat: streamed into the file store first, then named by a message.

use std::future::ready;
use std::io;

use axum::http::header;
use bytes::Bytes;
use futures_util::stream::{self, Stream, StreamExt, TryStreamExt};
use multer::{Constraints, Field, Multipart, SizeLimit};
use prilavok_domain::message::MAX_FILE_BYTES;
use prilavok_domain::{BusinessId, FileName, Sender, Timestamp};
use prilavok_store::files::{FileError, Upload, UploadError};
use prilavok_store::{NewMessage, StoredFile};
use prilavok_wire::error::Quoted;
use prilavok_wire::request::SendFile;
use prilavok_wire::{ApiError, Failure};

use super::answer::Reply;
use super::body::Interrupted;
use super::call::{Call, chat_id};
use crate::app::App;
use crate::form_file_name;

/// What a form may have beside the file: boundaries, headers, other parts.
const FORM_BYTES: u64 = 512 * 1024;
const PART: &str = "file";

pub(super) async fn send_file(mut call: Call<'_>) -> Result<Reply, Failure> {
    let SendFile { chat: number } = SendFile::parse(call.header_errors(), call.query())?;
    let boundary = boundary(&call)?;
    let chat = chat_id(number)?;
    // Nobody should send 5 MB only to hear that the chat does not exist.
    let found = call
        .app
        .store
        .chat(call.business(), chat)
        .await
        .map_err(|e| call.refused(e))?;
    found.ok_or(ApiError::ChatNotFound(number))?;

    let (name, upload) = receive(&mut call, boundary).await?;
    let written = match call.once(&[&number.to_be_bytes(), name.as_str().as_bytes(), &upload.sha256]) {
        Ok(once) => {
            let new = NewMessage {
                sender: Sender::Partner,
                text: None,
                files: vec![StoredFile {
                    object: upload.object.clone(),
                    name,
                    size: upload.size,
                    media_type: upload.media_type,
                }],
                wait_for: None,
            };
            let appended = call
                .app
                .store
                .append_message(call.business(), chat, new, once, call.now)
                .await;
            appended.map_err(|e| call.refused(e))
        }
        Err(error) => Err(error),
    };
    if !matches!(&written, Ok(applied) if !applied.replayed) {
        remove(call.app, &upload.object).await;
    }
    written?;
    Ok(Reply::empty())
}

fn boundary(call: &Call<'_>) -> Result<String, ApiError> {
    let header = call.parts.headers.get(header::CONTENT_TYPE);
    // Without a type a body is read as JSON, which is no form.
    let text = header.map_or("application/json".into(), |value| {
        String::from_utf8_lossy(value.as_bytes())
    });
    multer::parse_boundary(&text).map_err(|_| ApiError::ContentType(Quoted::new(&text)))
}

/// Why a form gave no file.
enum FormError {
    TooLarge,
    Wrong(ApiError),
    Store(FileError),
}

/// Reads the form and stores its file.
async fn receive(call: &mut Call<'_>, boundary: String) -> Result<(FileName, Upload), ApiError> {
    let max_form = MAX_FILE_BYTES + FORM_BYTES;
    if call.body.size() > max_form {
        return Err(call.body.too_big(MAX_FILE_BYTES));
    }
    let (app, business, now) = (call.app, call.business(), call.now);
    let limits = Constraints::new().size_limit(SizeLimit::new().whole_stream(max_form));
    let content = call
        .body
        .stream()
        .map_err(|Interrupted| io::Error::from(io::ErrorKind::UnexpectedEof));
    let form = Multipart::with_constraints(Box::pin(content), boundary, limits);
    read_form(app, business, now, form)
        .await
        .map_err(|error| match error {
            FormError::TooLarge => call.body.too_big(MAX_FILE_BYTES),
            FormError::Wrong(error) => error,
            FormError::Store(error) => call.incident.of_file(&error),
        })
}

async fn read_form(
    app: &App,
    business: BusinessId,
    now: Timestamp,
    mut form: Multipart<'_>,
) -> Result<(FileName, Upload), FormError> {
    while let Some(field) = form.next_field().await? {
        if field.name() != Some(PART) {
            continue;
        }
        let name = form_file_name::of(&field);
        let content = not_empty(field).await?;
        let upload = app.files.put(business, now, content, MAX_FILE_BYTES).await?;
        // A form that breaks off behind the file was not sent as a whole.
        if let Err(error) = read_rest(&mut form).await {
            remove(app, &upload.object).await;
            return Err(error.into());
        }
        return Ok((name, upload));
    }
    Err(FormError::Wrong(ApiError::ParameterMissing(PART)))
}

async fn read_rest(form: &mut Multipart<'_>) -> multer::Result<()> {
    while form.next_field().await?.is_some() {}
    Ok(())
}

/// The content of a field, which must have some.
async fn not_empty(
    mut field: Field<'_>,
) -> Result<impl Stream<Item = multer::Result<Bytes>> + Send + Unpin, FormError> {
    loop {
        match field.chunk().await? {
            Some(first) if first.is_empty() => {}
            Some(first) => return Ok(stream::once(ready(Ok(first))).chain(field)),
            None => {
                return Err(FormError::Wrong(ApiError::Empty {
                    field: PART.to_owned(),
                    value: Quoted::new(""),
                }));
            }
        }
    }
}

/// Removes a file that no message names. One that stays behind is swept later.
async fn remove(app: &App, object: &str) {
    if let Err(error) = app.files.remove(object).await {
        tracing::warn!(object, %error, "a file that is not needed could not be removed");
    }
}

impl From<multer::Error> for FormError {
    fn from(error: multer::Error) -> Self {
        use multer::Error as Form;
        match error {
            Form::StreamSizeExceeded { .. } | Form::FieldSizeExceeded { .. } => Self::TooLarge,
            Form::IncompleteStream
            | Form::IncompleteHeaders
            | Form::IncompleteFieldData { .. }
            | Form::StreamReadFailed(_) => Self::Wrong(ApiError::UnexpectedEnd),
            _ => Self::Wrong(ApiError::IllegalInput(PART.to_owned())),
        }
    }
}

impl From<UploadError<multer::Error>> for FormError {
    fn from(error: UploadError<multer::Error>) -> Self {
        match error {
            UploadError::TooLarge => Self::TooLarge,
            UploadError::Content(error) => error.into(),
            UploadError::Store(error) => Self::Store(error),
        }
    }
}
