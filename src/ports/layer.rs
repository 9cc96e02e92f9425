//! Ports on top of ports.

/// Implements a port for a layer above another one: the calls listed go straight down, or through
/// a method of the layer that gets the call's name and future; those in the second block are the
/// layer's own.
macro_rules! layer {
    ($port:ident for $layer:ident over $inner:ident {
        $(fn $name:ident($($arg:ident: $type:ty),*) -> $output:ty;)*
    } { $($own:tt)* }) => {
        #[async_trait::async_trait]
        impl $port for $layer {
            $(async fn $name(&self, $($arg: $type),*) -> Result<$output, PortError> {
                self.inner.$inner.$name($($arg),*).await
            })*
            $($own)*
        }
    };
    ($port:ident for $layer:ident over $inner:ident through $around:ident {
        $(fn $name:ident($($arg:ident: $type:ty),*) -> $output:ty;)*
    } { $($own:tt)* }) => {
        #[async_trait::async_trait]
        impl $port for $layer {
            $(async fn $name(&self, $($arg: $type),*) -> Result<$output, PortError> {
                self.$around(stringify!($name), self.inner.$inner.$name($($arg),*)).await
            })*
            $($own)*
        }
    };
}

pub(crate) use layer;
