//! Where files are kept, as it is written in settings.

use std::path::PathBuf;
use std::str::FromStr;

use object_store::path::Path;

/// Where files are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// In the folder `files` of the data folder.
    Data,
    /// In this folder.
    Folder(PathBuf),
    /// In a store that speaks S3.
    Bucket(Bucket),
}

/// A place in a store that speaks S3.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bucket {
    /// The bucket's name.
    pub name: String,
    /// What all names of objects begin with; empty: nothing.
    pub prefix: Path,
}

/// Nothing that files can be kept in.
#[derive(Debug, Clone, thiserror::Error)]
#[error("`{0}` is neither an absolute folder nor written like s3://bucket/prefix")]
pub struct NoLocation(String);

impl FromStr for Location {
    type Err = NoLocation;

    fn from_str(text: &str) -> Result<Self, NoLocation> {
        if text.is_empty() {
            return Ok(Self::Data);
        }
        let wrong = || NoLocation(text.to_owned());
        let Some(place) = text.strip_prefix("s3://") else {
            let folder = PathBuf::from(text);
            return folder
                .is_absolute()
                .then_some(Self::Folder(folder))
                .ok_or_else(wrong);
        };
        let (name, prefix) = place.split_once('/').unwrap_or((place, ""));
        let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '-');
        if !(3..=63).contains(&name.len()) || !name.chars().all(is_name) {
            return Err(wrong());
        }
        Ok(Self::Bucket(Bucket {
            name: name.to_owned(),
            prefix: Path::parse(prefix).map_err(|_| wrong())?,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_understood_or_refused() {
        let bucket = |name: &str, prefix: &str| {
            Some(Location::Bucket(Bucket {
                name: name.to_owned(),
                prefix: Path::from(prefix),
            }))
        };
        for (text, expected) in [
            ("", Some(Location::Data)),
            ("/srv/files", Some(Location::Folder("/srv/files".into()))),
            ("s3://prilavok", bucket("prilavok", "")),
            ("s3://prilavok/", bucket("prilavok", "")),
            ("s3://my.shop-1/chat/files/", bucket("my.shop-1", "chat/files")),
            ("files", None),
            ("s3://", None),
            ("s3://ab", None),
            ("s3://Shop/x", None),
            ("s3://shop/a//b", None),
            ("https://shop/x", None),
        ] {
            assert_eq!(text.parse().ok(), expected, "{text}");
        }
    }
}
