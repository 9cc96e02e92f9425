//! The pages of a listing, one after the other.

use super::{AtHead, Cursor, Page, PortError};

/// What one call of a listing returns.
pub(crate) trait ListingPage {
    /// The items of the page.
    type Items;

    /// Returns the items, and the cursor for the next page.
    fn parted(self) -> (Self::Items, Option<Cursor>);
}

impl<T> ListingPage for Page<T> {
    type Items = Vec<T>;

    fn parted(self) -> (Vec<T>, Option<Cursor>) {
        (self.items, self.next)
    }
}

impl<T> ListingPage for AtHead<Page<T>> {
    type Items = AtHead<Vec<T>>;

    fn parted(self) -> (AtHead<Vec<T>>, Option<Cursor>) {
        match self {
            Self::Read(page) => (AtHead::Read(page.items), page.next),
            Self::Moved => (AtHead::Moved, None),
        }
    }
}

/// A listing that is read page by page.
pub(crate) struct Pages<F> {
    read: F,
    /// Where the next page starts; `None` after the last page.
    from: Option<Option<Cursor>>,
}

/// Returns the pages of a listing. `read` reads the page at a cursor.
pub(crate) const fn pages<F, Fut, P>(read: F) -> Pages<F>
where
    F: Fn(Option<Cursor>) -> Fut,
    Fut: Future<Output = Result<P, PortError>>,
    P: ListingPage,
{
    Pages { read, from: Some(None) }
}

impl<F, Fut, P> Pages<F>
where
    F: Fn(Option<Cursor>) -> Fut,
    Fut: Future<Output = Result<P, PortError>>,
    P: ListingPage,
{
    /// Returns the items of the next page. Returns `None` after the last page, and after [`AtHead::Moved`].
    pub(crate) async fn next(&mut self) -> Result<Option<P::Items>, PortError> {
        let Some(from) = self.from.take() else { return Ok(None) };
        let (items, next) = (self.read)(from).await?.parted();
        self.from = next.map(Some);
        Ok(Some(items))
    }
}

/// Reads all pages of a listing at one head.
pub(crate) async fn read_all<F, Fut, T>(read: F) -> Result<AtHead<Vec<T>>, PortError>
where
    F: Fn(Option<Cursor>) -> Fut,
    Fut: Future<Output = Result<AtHead<Page<T>>, PortError>>,
{
    let mut pages = pages(read);
    let mut all = vec![];
    while let Some(page) = pages.next().await? {
        let AtHead::Read(items) = page else { return Ok(AtHead::Moved) };
        all.extend(items);
    }
    Ok(AtHead::Read(all))
}
