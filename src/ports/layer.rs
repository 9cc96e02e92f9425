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

    // The signature of each call, for those that go down.
    (@sign $to:tt [$($done:tt)*] active_user $($rest:ident)*) => {
        $crate::ports::layer! { @sign $to [$($done)* fn active_user(user: &$crate::model::UserId) -> Option<$crate::ports::ActiveUser>;] $($rest)* }
    };
    (@sign $to:tt [$($done:tt)*] record_visit $($rest:ident)*) => {
        $crate::ports::layer! { @sign $to [$($done)* fn record_visit(user: &$crate::model::UserId, now: $crate::model::Timestamp, expires_at: $crate::model::Timestamp) -> Option<$crate::ports::ActiveUser>;] $($rest)* }
    };
    (@sign $to:tt [$($done:tt)*] remove_active_user $($rest:ident)*) => {
        $crate::ports::layer! { @sign $to [$($done)* fn remove_active_user(user: &$crate::model::UserId) -> bool;] $($rest)* }
    };
    (@sign $to:tt [$($done:tt)*] list_active_users $($rest:ident)*) => {
        $crate::ports::layer! { @sign $to [$($done)* fn list_active_users(segment: $crate::ports::Segment, now: $crate::model::Timestamp, from: Option<$crate::ports::Cursor>) -> $crate::ports::Page<$crate::ports::ActiveUser>;] $($rest)* }
    };
    (@sign $to:tt [$($done:tt)*] catalogue_head $($rest:ident)*) => {
        $crate::ports::layer! { @sign $to [$($done)* fn catalogue_head() -> Option<$crate::ports::CatalogueHead>;] $($rest)* }
    };
    (@sign $to:tt [$($done:tt)*] begin_load $($rest:ident)*) => {
        $crate::ports::layer! { @sign $to [$($done)* fn begin_load(mark: &$crate::ports::LoadMark, expected: Option<u64>, now: $crate::model::Timestamp) -> $crate::ports::BeginLoad;] $($rest)* }
    };
    (@sign $to:tt [$($done:tt)*] extend_load $($rest:ident)*) => {
        $crate::ports::layer! { @sign $to [$($done)* fn extend_load(mark: &$crate::ports::LoadMark) -> bool;] $($rest)* }
    };
    (@sign $to:tt [$($done:tt)*] finish_load $($rest:ident)*) => {
        $crate::ports::layer! { @sign $to [$($done)* fn finish_load(load: &$crate::ports::LoadId) -> Option<u64>;] $($rest)* }
    };
    (@sign $to:tt [$($done:tt)*] products $($rest:ident)*) => {
        $crate::ports::layer! { @sign $to [$($done)* fn products(products: &[$crate::model::ProductId]) -> Vec<$crate::pricing::Product>;] $($rest)* }
    };
    (@sign $to:tt [$($done:tt)*] list_products $($rest:ident)*) => {
        $crate::ports::layer! { @sign $to [$($done)* fn list_products(from: Option<$crate::ports::Cursor>) -> $crate::ports::Page<$crate::pricing::Product>;] $($rest)* }
    };
    (@sign $to:tt [$($done:tt)*] put_products $($rest:ident)*) => {
        $crate::ports::layer! { @sign $to [$($done)* fn put_products(products: &[$crate::pricing::Product]) -> ();] $($rest)* }
    };
    (@sign $to:tt [$($done:tt)*] delete_products $($rest:ident)*) => {
        $crate::ports::layer! { @sign $to [$($done)* fn delete_products(products: &[$crate::model::ProductId]) -> ();] $($rest)* }
    };
    (@sign $to:tt [$($done:tt)*] delete_discounts $($rest:ident)*) => {
        $crate::ports::layer! { @sign $to [$($done)* fn delete_discounts(users: &[$crate::model::UserId]) -> ();] $($rest)* }
    };
    (@sign $to:tt [$($done:tt)*] list_discounted_users $($rest:ident)*) => {
        $crate::ports::layer! { @sign $to [$($done)* fn list_discounted_users(from: Option<$crate::ports::Cursor>) -> $crate::ports::Page<$crate::model::UserId>;] $($rest)* }
    };
    (@sign $to:tt [$($done:tt)*] put_discounts $($rest:ident)*) => {
        $crate::ports::layer! { @sign $to [$($done)* fn put_discounts(lists: &[$crate::ports::UserDiscounts]) -> ();] $($rest)* }
    };
    (@sign $to:tt [$($done:tt)*] discounts $($rest:ident)*) => {
        $crate::ports::layer! { @sign $to [$($done)* fn discounts(users: &[$crate::model::UserId]) -> Vec<$crate::ports::UserDiscounts>;] $($rest)* }
    };
    (@sign $to:tt [$($done:tt)*] table_heads $($rest:ident)*) => {
        $crate::ports::layer! { @sign $to [$($done)* fn table_heads(users: &[$crate::model::UserId]) -> Vec<($crate::model::UserId, $crate::ports::TableHead)>;] $($rest)* }
    };
    (@sign $to:tt [$($done:tt)*] flip_head $($rest:ident)*) => {
        $crate::ports::layer! { @sign $to [$($done)* fn flip_head(user: &$crate::model::UserId, head: &$crate::ports::TableHead, expected: Option<u64>, expire_at: $crate::model::Timestamp) -> $crate::ports::Flip;] $($rest)* }
    };
    (@sign $to:tt [$($done:tt)*] parts $($rest:ident)*) => {
        $crate::ports::layer! { @sign $to [$($done)* fn parts(user: &$crate::model::UserId, generation: &$crate::model::Generation, numbers: &[u32]) -> Vec<Option<bytes::Bytes>>;] $($rest)* }
    };
    (@sign $to:tt [$($done:tt)*] delete_table $($rest:ident)*) => {
        $crate::ports::layer! { @sign $to [$($done)* fn delete_table(user: &$crate::model::UserId) -> ();] $($rest)* }
    };
    (@sign $to:tt [$($done:tt)*] list_table_heads $($rest:ident)*) => {
        $crate::ports::layer! { @sign $to [$($done)* fn list_table_heads(from: Option<$crate::ports::Cursor>) -> $crate::ports::Page<($crate::model::UserId, $crate::ports::TableHead)>;] $($rest)* }
    };
    (@sign $to:tt [$($done:tt)*] put_parts $($rest:ident)*) => {
        $crate::ports::layer! { @sign $to [$($done)* fn put_parts(user: &$crate::model::UserId, generation: &$crate::model::Generation, parts: &[bytes::Bytes], expire_at: $crate::model::Timestamp) -> ();] $($rest)* }
    };
    (@sign $to:tt [$($done:tt)*] create_quotation $($rest:ident)*) => {
        $crate::ports::layer! { @sign $to [$($done)* fn create_quotation(quotation: &$crate::ports::Quotation) -> $crate::ports::Created;] $($rest)* }
    };
    (@sign $to:tt [$($done:tt)*] quotation $($rest:ident)*) => {
        $crate::ports::layer! { @sign $to [$($done)* fn quotation(key: &$crate::model::QuotationKey) -> Option<$crate::ports::Quotation>;] $($rest)* }
    };
    (@sign $to:tt [$($done:tt)*] list_quotations $($rest:ident)*) => {
        $crate::ports::layer! { @sign $to [$($done)* fn list_quotations(from: Option<$crate::ports::Cursor>) -> $crate::ports::Page<$crate::ports::Quotation>;] $($rest)* }
    };
    (@sign $to:tt [$($done:tt)*] redirect_quotation $($rest:ident)*) => {
        $crate::ports::layer! { @sign $to [$($done)* fn redirect_quotation(key: &$crate::model::QuotationKey, connection: &$crate::model::ConnectionRef, dialect: $crate::model::Dialect) -> bool;] $($rest)* }
    };
    (@sign $to:tt [$($done:tt)*] settle_quotation $($rest:ident)*) => {
        $crate::ports::layer! { @sign $to [$($done)* fn settle_quotation(key: &$crate::model::QuotationKey, verdict: &$crate::ports::Verdict, now: $crate::model::Timestamp) -> $crate::ports::Settlement;] $($rest)* }
    };
    (@sign $to:tt [$($done:tt)*] delete_quotation $($rest:ident)*) => {
        $crate::ports::layer! { @sign $to [$($done)* fn delete_quotation(key: &$crate::model::QuotationKey) -> ();] $($rest)* }
    };
    (@sign $to:tt [$($done:tt)*] acknowledge $($rest:ident)*) => {
        $crate::ports::layer! { @sign $to [$($done)* fn acknowledge(queue: $crate::ports::Queue, receipts: &[$crate::ports::Receipt]) -> ();] $($rest)* }
    };
    (@sign $to:tt [$($done:tt)*] change_visibility $($rest:ident)*) => {
        $crate::ports::layer! { @sign $to [$($done)* fn change_visibility(queue: $crate::ports::Queue, receipts: &[$crate::ports::Receipt], visibility: std::time::Duration) -> ();] $($rest)* }
    };
    (@sign $to:tt [$($done:tt)*] depth $($rest:ident)*) => {
        $crate::ports::layer! { @sign $to [$($done)* fn depth(queue: $crate::ports::Queue) -> $crate::ports::Depth;] $($rest)* }
    };
    (@sign $to:tt [$($done:tt)*] send $($rest:ident)*) => {
        $crate::ports::layer! { @sign $to [$($done)* fn send(queue: $crate::ports::Queue, messages: &[$crate::ports::Outgoing]) -> Vec<$crate::ports::FailedEntry>;] $($rest)* }
    };

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
