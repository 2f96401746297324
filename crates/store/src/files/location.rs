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
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoLocation {
    /// It is written in another way.
    #[error("`{0}` is neither an absolute folder nor written like s3://bucket/prefix")]
    Form(String),
    /// No bucket can be called so.
    #[error("`{0}` is no name of a bucket: 3 to 63 lowercase letters, digits, points and dashes")]
    Bucket(String),
    /// No object can be called so.
    #[error("`{0}` is no prefix: names with one / between them")]
    Prefix(String),
}

impl FromStr for Location {
    type Err = NoLocation;

    fn from_str(text: &str) -> Result<Self, NoLocation> {
        if text.is_empty() {
            return Ok(Self::Data);
        }
        let Some(place) = text.strip_prefix("s3://") else {
            let folder = PathBuf::from(text);
            return folder
                .is_absolute()
                .then_some(Self::Folder(folder))
                .ok_or_else(|| NoLocation::Form(text.to_owned()));
        };
        let (name, prefix) = place.split_once('/').unwrap_or((place, ""));
        let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '-');
        if !(3..=63).contains(&name.len()) || !name.chars().all(is_name) {
            return Err(NoLocation::Bucket(name.to_owned()));
        }
        Ok(Self::Bucket(Bucket {
            name: name.to_owned(),
            prefix: Path::parse(prefix).map_err(|_| NoLocation::Prefix(prefix.to_owned()))?,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_understood_or_refused() {
        let bucket = |name: &str, prefix: &str| {
            Ok(Location::Bucket(Bucket {
                name: name.to_owned(),
                prefix: Path::from(prefix),
            }))
        };
        let form = |text: &str| Err(NoLocation::Form(text.to_owned()));
        let name = |text: &str| Err(NoLocation::Bucket(text.to_owned()));
        for (text, expected) in [
            ("", Ok(Location::Data)),
            ("/srv/files", Ok(Location::Folder("/srv/files".into()))),
            ("s3://prilavok", bucket("prilavok", "")),
            ("s3://prilavok/", bucket("prilavok", "")),
            ("s3://my.shop-1/chat/files/", bucket("my.shop-1", "chat/files")),
            ("files", form("files")),
            ("https://shop/x", form("https://shop/x")),
            ("s3://", name("")),
            ("s3://ab", name("ab")),
            ("s3://Shop/x", name("Shop")),
            ("s3://shop/a//b", Err(NoLocation::Prefix("a//b".to_owned()))),
        ] {
            assert_eq!(text.parse(), expected, "{text}");
        }
    }
}
