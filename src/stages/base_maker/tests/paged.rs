//! An engine that waits for each page.

use super::*;

/// An engine with large pages in several segments. It counts pages, reads of the head, and written bases.
pub(super) struct Paged {
    pub(super) inner: Ports,
    pub(super) pages: AtomicUsize,
    pub(super) heads: AtomicUsize,
    pub(super) writes: AtomicUsize,
    pub(super) segments: AtomicU32,
    /// Whether the last load is not folded yet.
    pub(super) is_unfolded: AtomicBool,
    /// Whether a claim gets no answer.
    pub(super) is_silent: AtomicBool,
    /// Whether writing a base takes as long as reading a page.
    pub(super) is_slow: AtomicBool,
    /// How long a page takes.
    pub(super) page_takes: Mutex<Duration>,
    /// The last maker that claimed a base.
    pub(super) maker: Mutex<Option<MakerId>>,
    /// The numbers of the packed parts that were stored while the base was being made.
    pub(super) packed: Mutex<Vec<u32>>,
    /// After this number of stored packed parts, writing another gets no answer.
    pub(super) most_packed: AtomicUsize,
    /// The number of runs read.
    pub(super) runs: AtomicUsize,
    /// Whether writing a base gets no answer.
    pub(super) is_full: AtomicBool,
    /// The numbers of the parts that were stored before their index.
    pub(super) stored: Mutex<Vec<u32>>,
    /// After this number of such parts, writing another gets no answer.
    pub(super) most_stored: AtomicUsize,
}

impl Paged {
    pub(super) fn over(inner: Ports) -> Self {
        Self {
            inner,
            pages: AtomicUsize::new(0),
            heads: AtomicUsize::new(0),
            writes: AtomicUsize::new(0),
            segments: AtomicU32::new(SEGMENTS),
            is_unfolded: AtomicBool::new(false),
            is_silent: AtomicBool::new(false),
            is_slow: AtomicBool::new(false),
            page_takes: Mutex::new(PAGE_TAKES),
            maker: Mutex::default(),
            packed: Mutex::default(),
            most_packed: AtomicUsize::new(usize::MAX),
            runs: AtomicUsize::new(0),
            is_full: AtomicBool::new(false),
            stored: Mutex::default(),
            most_stored: AtomicUsize::new(usize::MAX),
        }
    }

    async fn page(
        &self,
        at: &CatalogueHead,
        segment: Segment,
        from: Option<Cursor>,
    ) -> Result<AtHead<Page<Product>>, PortError> {
        let takes = *self.page_takes.lock().unwrap();
        sleep(takes).await;
        self.pages.fetch_add(1, Ordering::Relaxed);
        let at = &CatalogueHead { unfolded: None, ..at.clone() };
        let mut whole = Page { items: vec![], next: from };
        loop {
            let from = whole.next.take();
            let page = self.inner.store.list_products(at, segment, from).await?;
            let AtHead::Read(page) = page else { return Ok(AtHead::Moved) };
            whole.items.extend(page.items);
            whole.next = page.next;
            if whole.next.is_none() || whole.items.len() >= PAGE {
                return Ok(AtHead::Read(whole));
            }
        }
    }

    pub(super) fn page_takes(&self, takes: Duration) {
        *self.page_takes.lock().unwrap() = takes;
    }

    pub(super) fn maker(&self) -> MakerId {
        self.maker.lock().unwrap().clone().unwrap()
    }

    /// Returns the number of packed parts stored since the last call, and asserts that none was stored twice.
    pub(super) fn packed(&self) -> usize {
        let packed = std::mem::take(&mut *self.packed.lock().unwrap());
        let different: BTreeSet<u32> = packed.iter().copied().collect();
        assert_eq!(packed.len(), different.len());
        packed.len()
    }

    /// Returns the numbers of the parts that were stored before their index since the last call.
    pub(super) fn stored(&self) -> Vec<u32> {
        std::mem::take(&mut *self.stored.lock().unwrap())
    }

    pub(super) fn runs(&self) -> usize {
        self.runs.swap(0, Ordering::Relaxed)
    }

    pub(super) fn pages(&self) -> usize {
        self.pages.swap(0, Ordering::Relaxed)
    }

    pub(super) fn heads(&self) -> usize {
        self.heads.swap(0, Ordering::Relaxed)
    }

    pub(super) fn writes(&self) -> usize {
        self.writes.swap(0, Ordering::Relaxed)
    }
}

layer!(
    #[over(inner.store)]
    impl CatalogueStore for Paged {
        async fn catalogue_head(&self) -> _ {
            self.heads.fetch_add(1, Ordering::Relaxed);
            let head = self.inner.store.catalogue_head().await?;
            let is_unfolded = self.is_unfolded.load(Ordering::Relaxed);
            Ok(head.map(|head| CatalogueHead {
                unfolded: is_unfolded.then(|| LoadId(head.version.to_string())),
                ..head
            }))
        }

        fn head_kept_for(&self) -> _ {
            Duration::from_secs(1)
        }

        async fn list_products(&self, at: _, segment: _, from: _) -> _ {
            self.page(at, segment, from).await
        }

        fn product_segments(&self) -> _ {
            self.segments.load(Ordering::Relaxed)
        }
    }
);

layer!(
    #[over(inner.store)]
    impl Bases for Paged {
        async fn put_base_parts(&self, name: _, first: _, parts: _, expires_at: _) -> _ {
            if self.stored.lock().unwrap().len() >= self.most_stored.load(Ordering::Relaxed) {
                std::future::pending::<()>().await;
            }
            self.stored.lock().unwrap().extend((first..).zip(parts).map(|(number, _)| number));
            self.inner.store.put_base_parts(name, first, parts, expires_at).await
        }

        async fn put_base(&self, name: _, base: _, parts: _) -> _ {
            self.writes.fetch_add(1, Ordering::Relaxed);
            if self.is_slow.load(Ordering::Relaxed) {
                sleep(PAGE_TAKES).await;
            }
            if self.is_full.load(Ordering::Relaxed) {
                std::future::pending::<()>().await;
            }
            self.inner.store.put_base(name, base, parts).await
        }

        async fn claim_base(&self, name: _, claim: _, now: _) -> _ {
            if self.is_silent.load(Ordering::Relaxed) && claim.until > now {
                std::future::pending::<()>().await;
            }
            *self.maker.lock().unwrap() = Some(claim.maker.clone());
            self.inner.store.claim_base(name, claim, now).await
        }

        async fn put_drafts(&self, name: _, drafts: _, expires_at: _) -> _ {
            let is_packed = |number: &u32| *number > CHECKPOINT && *number < STORING;
            let numbers = drafts.iter().map(|(number, _)| *number);
            let packed: Vec<u32> = numbers.filter(is_packed).collect();
            let most = self.most_packed.load(Ordering::Relaxed);
            if !packed.is_empty() && self.packed.lock().unwrap().len() >= most {
                std::future::pending::<()>().await;
            }
            self.packed.lock().unwrap().extend(packed);
            self.inner.store.put_drafts(name, drafts, expires_at).await
        }

        async fn drafts(&self, name: _, numbers: _) -> _ {
            let is_run = |number: &&u32| **number < CHECKPOINT && !number.is_multiple_of(100_000);
            self.runs.fetch_add(numbers.iter().filter(is_run).count(), Ordering::Relaxed);
            self.inner.store.drafts(name, numbers).await
        }
    }
);

layer!(
    #[over(inner.store)]
    impl ActiveUsers, CustomerStore, DiscountStore, Loads, PriceListStore, PriceTables, Quotations,
        SettingsStore for Paged {}
);
