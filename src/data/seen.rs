//! Finds out whether files were written since they were last looked at.

use std::collections::BTreeMap;
use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::sources::data_files;

/// The files that [`read`](super::read) would read, as found at one moment. If two looks are equal, they
/// found the same files, and none of these was written or replaced in between.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FilesSeen(BTreeMap<PathBuf, Option<Stamp>>);

/// What changes when a file is written, or when another file takes its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    bytes: u64,
    modified: Option<SystemTime>,
    /// The inode and the time of its last change. A file that is moved here may be older than the one whose
    /// name it takes, and as large.
    #[cfg(unix)]
    inode: (u64, i64, i64),
}

impl FilesSeen {
    /// Looks at files, and at the data files of folders. A path that cannot be read is remembered as
    /// unreadable; [`read`](super::read) reports it.
    #[must_use]
    pub fn at(paths: &[PathBuf]) -> Self {
        let mut seen = BTreeMap::new();
        for path in paths {
            match files_of(path) {
                Ok(files) => seen.extend(files.into_iter().map(|file| {
                    let stamp = fs::metadata(&file).ok().map(|file| Stamp::of(&file));
                    (file, stamp)
                })),
                Err(_) => {
                    seen.insert(path.clone(), None);
                }
            }
        }
        Self(seen)
    }

    /// Whether there are no files at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the files that are new, written or gone since an earlier look.
    #[must_use]
    pub fn changed_since<'a>(&'a self, earlier: &'a Self) -> Vec<&'a Path> {
        let written = self.0.iter().filter(|(path, stamp)| earlier.0.get(*path) != Some(stamp));
        let gone = earlier.0.keys().filter(|path| !self.0.contains_key(*path));
        let mut changed: Vec<&Path> =
            written.map(|(path, _)| path).chain(gone).map(PathBuf::as_path).collect();
        changed.sort_unstable();
        changed
    }
}

fn files_of(path: &Path) -> io::Result<Vec<PathBuf>> {
    match fs::metadata(path)?.is_dir() {
        true => Ok(data_files(path)?.0),
        false => Ok(vec![path.to_owned()]),
    }
}

impl Stamp {
    fn of(file: &Metadata) -> Self {
        #[cfg(unix)]
        use std::os::unix::fs::MetadataExt as _;
        Self {
            bytes: file.len(),
            modified: file.modified().ok(),
            #[cfg(unix)]
            inode: (file.ino(), file.ctime(), file.ctime_nsec()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changes_between_two_looks_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let look = || FilesSeen::at(&[folder.path().to_owned()]);
        assert!(look().is_empty());
        for name in ["a.csv", "b.csv", "c.csv", "notes.txt", ".hidden.csv"] {
            fs::write(path(name), "id\n").unwrap();
        }
        let first = look();
        assert_eq!(look(), first);
        fs::write(path("notes.txt"), "other").unwrap();
        fs::write(path(".hidden.csv"), "other").unwrap();
        assert_eq!(look(), first, "neither is read");

        fs::write(path("a.csv"), "id,name\n").unwrap();
        fs::remove_file(path("b.csv")).unwrap();
        fs::write(path("d.csv"), "id\n").unwrap();
        let changed = [path("a.csv"), path("b.csv"), path("d.csv")];
        assert_eq!(look().changed_since(&first), changed);
        assert_eq!(look().changed_since(&look()), Vec::<&Path>::new());
    }

    #[cfg(unix)]
    #[test]
    fn a_file_of_the_same_size_and_age_that_takes_the_name_is_another() {
        let folder = tempfile::tempdir().unwrap();
        let (file, new) = (folder.path().join("a.csv"), folder.path().join(".new"));
        let long_ago = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000);
        for (path, text) in [(&file, "old"), (&new, "new")] {
            fs::write(path, text).unwrap();
            fs::File::options().write(true).open(path).unwrap().set_modified(long_ago).unwrap();
        }
        let paths = [file.clone()];
        let first = FilesSeen::at(&paths);
        fs::rename(&new, &file).unwrap();
        assert_eq!(FilesSeen::at(&paths).changed_since(&first), [file]);
    }

    #[test]
    fn a_path_that_goes_and_comes_back_has_changed_both_times() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("inbox");
        let look = || FilesSeen::at(std::slice::from_ref(&inner));
        let absent = look();
        assert!(!absent.is_empty(), "somebody has to be told of it");
        fs::create_dir(&inner).unwrap();
        assert!(look().is_empty() && look() != absent);
        fs::remove_dir(&inner).unwrap();
        assert_eq!(look(), absent);
    }
}
