//! Ports on top of ports.

/// Implements a port for a layer above another one: the calls named go straight down, or through a
/// method of the layer that gets the call's name and future; what follows is the layer's own. What
/// it names in neither place is done as the port's default does it, with the layer's other calls.
macro_rules! layer {
    (
        $port:ident for $layer:ident over $inner:ident $(through $around:ident)?
        [$($name:ident),*] { $($own:tt)* }
    ) => {
        $crate::ports::layer! {
            @sign ($port $layer $inner [$($around)?] { $($own)* }) [] $($name)*
        }
    };

    // Looks up the signature of one call after the other.
    (@sign $layer:tt [$($done:tt)*] $name:ident $($rest:ident)*) => {
        $crate::ports::layer! { @of $name [$layer [$($done)*] $($rest)*] }
    };
    (@add [$layer:tt [$($done:tt)*] $($rest:ident)*] $($one:tt)*) => {
        $crate::ports::layer! { @sign $layer [$($done)* $($one)*] $($rest)* }
    };

    // ActiveUsers
    (@of active_user $to:tt) => {
        $crate::ports::layer! {
            @add $to fn active_user(
                user: &$crate::model::UserId
            ) -> Option<$crate::ports::ActiveUser>;
        }
    };
    (@of record_visit $to:tt) => {
        $crate::ports::layer! {
            @add $to fn record_visit(
                user: &$crate::model::UserId,
                now: $crate::model::Timestamp,
                expires_at: $crate::model::Timestamp
            ) -> Option<$crate::ports::ActiveUser>;
        }
    };
    (@of remove_active_user $to:tt) => {
        $crate::ports::layer! {
            @add $to fn remove_active_user(
                user: &$crate::model::UserId
            ) -> bool;
        }
    };
    (@of list_active_users $to:tt) => {
        $crate::ports::layer! {
            @add $to fn list_active_users(
                segment: $crate::ports::Segment,
                now: $crate::model::Timestamp,
                from: Option<$crate::ports::Cursor>
            ) -> $crate::ports::Page<$crate::ports::ActiveUser>;
        }
    };

    // CatalogueStore
    (@of catalogue_head $to:tt) => {
        $crate::ports::layer! {
            @add $to fn catalogue_head() -> Option<$crate::ports::CatalogueHead>;
        }
    };
    (@of begin_load $to:tt) => {
        $crate::ports::layer! {
            @add $to fn begin_load(
                mark: &$crate::ports::LoadMark,
                expected: Option<u64>,
                now: $crate::model::Timestamp
            ) -> $crate::ports::BeginLoad;
        }
    };
    (@of extend_load $to:tt) => {
        $crate::ports::layer! { @add $to fn extend_load(mark: &$crate::ports::LoadMark) -> bool; }
    };
    (@of finish_load $to:tt) => {
        $crate::ports::layer! {
            @add $to fn finish_load(
                load: &$crate::ports::LoadId
            ) -> Option<u64>;
        }
    };
    (@of products $to:tt) => {
        $crate::ports::layer! {
            @add $to fn products(
                products: &[$crate::model::ProductId]
            ) -> Vec<$crate::pricing::Product>;
        }
    };
    (@of list_products $to:tt) => {
        $crate::ports::layer! {
            @add $to fn list_products(
                from: Option<$crate::ports::Cursor>
            ) -> $crate::ports::Page<$crate::pricing::Product>;
        }
    };
    (@of put_products $to:tt) => {
        $crate::ports::layer! {
            @add $to fn put_products(
                products: &[$crate::pricing::Product]
            ) -> ();
        }
    };
    (@of delete_products $to:tt) => {
        $crate::ports::layer! {
            @add $to fn delete_products(
                products: &[$crate::model::ProductId]
            ) -> ();
        }
    };

    // DiscountStore
    (@of delete_discounts $to:tt) => {
        $crate::ports::layer! {
            @add $to fn delete_discounts(
                users: &[$crate::model::UserId]
            ) -> ();
        }
    };
    (@of list_discounted_users $to:tt) => {
        $crate::ports::layer! {
            @add $to fn list_discounted_users(
                from: Option<$crate::ports::Cursor>
            ) -> $crate::ports::Page<$crate::model::UserId>;
        }
    };
    (@of put_discounts $to:tt) => {
        $crate::ports::layer! {
            @add $to fn put_discounts(
                lists: &[$crate::ports::UserDiscounts]
            ) -> ();
        }
    };
    (@of discounts $to:tt) => {
        $crate::ports::layer! {
            @add $to fn discounts(
                users: &[$crate::model::UserId]
            ) -> Vec<$crate::ports::UserDiscounts>;
        }
    };

    // PriceTables
    (@of table_heads $to:tt) => {
        $crate::ports::layer! {
            @add $to fn table_heads(
                users: &[$crate::model::UserId]
            ) -> Vec<($crate::model::UserId, $crate::ports::TableHead)>;
        }
    };
    (@of flip_head $to:tt) => {
        $crate::ports::layer! {
            @add $to fn flip_head(
                user: &$crate::model::UserId,
                head: &$crate::ports::TableHead,
                expected: Option<u64>,
                expire_at: $crate::model::Timestamp
            ) -> $crate::ports::Flip;
        }
    };
    (@of parts $to:tt) => {
        $crate::ports::layer! {
            @add $to fn parts(
                user: &$crate::model::UserId,
                generation: &$crate::model::Generation,
                numbers: &[u32]
            ) -> Vec<Option<bytes::Bytes>>;
        }
    };
    (@of delete_table $to:tt) => {
        $crate::ports::layer! { @add $to fn delete_table(user: &$crate::model::UserId) -> (); }
    };
    (@of list_table_heads $to:tt) => {
        $crate::ports::layer! {
            @add $to fn list_table_heads(
                from: Option<$crate::ports::Cursor>
            ) -> $crate::ports::Page<($crate::model::UserId, $crate::ports::TableHead)>;
        }
    };
    (@of put_parts $to:tt) => {
        $crate::ports::layer! {
            @add $to fn put_parts(
                user: &$crate::model::UserId,
                generation: &$crate::model::Generation,
                parts: &[bytes::Bytes],
                expire_at: $crate::model::Timestamp
            ) -> ();
        }
    };
    (@of parts_of_many $to:tt) => {
        $crate::ports::layer! {
            @add $to fn parts_of_many(
                wanted: &[$crate::ports::WantedParts]
            ) -> Vec<Vec<Option<bytes::Bytes>>>;
        }
    };

    // Quotations
    (@of create_quotation $to:tt) => {
        $crate::ports::layer! {
            @add $to fn create_quotation(
                quotation: &$crate::ports::Quotation
            ) -> $crate::ports::Created;
        }
    };
    (@of quotation $to:tt) => {
        $crate::ports::layer! {
            @add $to fn quotation(
                key: &$crate::model::QuotationKey
            ) -> Option<$crate::ports::Quotation>;
        }
    };
    (@of list_quotations $to:tt) => {
        $crate::ports::layer! {
            @add $to fn list_quotations(
                from: Option<$crate::ports::Cursor>
            ) -> $crate::ports::Page<$crate::ports::Quotation>;
        }
    };
    (@of redirect_quotation $to:tt) => {
        $crate::ports::layer! {
            @add $to fn redirect_quotation(
                key: &$crate::model::QuotationKey,
                connection: &$crate::model::ConnectionRef,
                dialect: $crate::model::Dialect
            ) -> bool;
        }
    };
    (@of settle_quotation $to:tt) => {
        $crate::ports::layer! {
            @add $to fn settle_quotation(
                key: &$crate::model::QuotationKey,
                verdict: &$crate::ports::Verdict,
                now: $crate::model::Timestamp
            ) -> $crate::ports::Settlement;
        }
    };
    (@of delete_quotation $to:tt) => {
        $crate::ports::layer! {
            @add $to fn delete_quotation(
                key: &$crate::model::QuotationKey
            ) -> ();
        }
    };

    // Queues
    (@of acknowledge $to:tt) => {
        $crate::ports::layer! {
            @add $to fn acknowledge(
                queue: $crate::ports::Queue,
                receipts: &[$crate::ports::Receipt]
            ) -> ();
        }
    };
    (@of change_visibility $to:tt) => {
        $crate::ports::layer! {
            @add $to fn change_visibility(
                queue: $crate::ports::Queue,
                receipts: &[$crate::ports::Receipt],
                visibility: std::time::Duration
            ) -> ();
        }
    };
    (@of depth $to:tt) => {
        $crate::ports::layer! {
            @add $to fn depth(
                queue: $crate::ports::Queue
            ) -> $crate::ports::Depth;
        }
    };
    (@of send $to:tt) => {
        $crate::ports::layer! {
            @add $to fn send(
                queue: $crate::ports::Queue,
                messages: &[$crate::ports::Outgoing]
            ) -> Vec<$crate::ports::FailedEntry>;
        }
    };

    // All are there: straight down, or through a method of the layer.
    (@sign ($port:ident $layer:ident $inner:ident [] { $($own:tt)* }) [
        $(fn $name:ident($($arg:ident: $type:ty),*) -> $output:ty;)*
    ]) => {
        #[async_trait::async_trait]
        impl $crate::ports::$port for $layer {
            $(async fn $name(&self, $($arg: $type),*) -> Result<$output, $crate::ports::PortError> {
                self.inner.$inner.$name($($arg),*).await
            })*
            $($own)*
        }
    };
    (@sign ($port:ident $layer:ident $inner:ident [$around:ident] { $($own:tt)* }) [
        $(fn $name:ident($($arg:ident: $type:ty),*) -> $output:ty;)*
    ]) => {
        #[async_trait::async_trait]
        impl $crate::ports::$port for $layer {
            $(async fn $name(&self, $($arg: $type),*) -> Result<$output, $crate::ports::PortError> {
                self.$around(stringify!($name), self.inner.$inner.$name($($arg),*)).await
            })*
            $($own)*
        }
    };
}

pub(crate) use layer;
