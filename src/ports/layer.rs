//! Layers: ports on top of ports.

/// Implements a port for a layer. A field of the layer has the port below it:
///
/// ```ignore
/// layer!(
///     #[over(inner.store)]
///     impl PriceTables for Slow {
///         async fn delete_table(&self, user: _) -> _ {
///             self.take_long().await;
///             self.inner.store.delete_table(user).await
///         }
///     }
/// );
/// ```
///
/// The methods that the layer implements itself have `_` for all types, because [`port!`](super::port) knows
/// these. They must be in the order of the port. All other calls go straight to the port below. With
/// `#[over(inner.store, through = call)]` they go through the layer's method `call`, which gets the call's
/// name and its future. A layer that implements nothing of several ports names them together: `impl Loads,
/// Bases for Slow {}`. [`super::prelude`] must be imported.
macro_rules! layer {
    (#[over $over:tt] impl $first:ident, $($more:ident),+ for $Layer:ident {}) => {
        $crate::ports::layer! { #[over $over] impl $first for $Layer {} }
        $($crate::ports::layer! { #[over $over] impl $more for $Layer {} })+
    };
    (#[over($($field:ident).+ $(, through = $around:ident)?)]
    impl $Port:ident for $Layer:ident { $($own:tt)* }) => {
        $crate::ports::layer! {
            @read [$Port $Layer [$($field).+] [$($around)?]] [] $($own)*
        }
    };

    // Collects the layer's own methods, each as `{ [attributes] [async] name self [arguments] body }`.
    (@read $layer:tt [$($done:tt)*]
        $(#[$meta:meta])*
        async fn $name:ident(&$this:ident $(, $argument:ident: _)* $(,)?) -> _ $body:block
        $($rest:tt)*
    ) => {
        $crate::ports::layer! {
            @read $layer
            [$($done)* { [$(#[$meta])*] [async] $name $this [$($argument)*] $body }] $($rest)*
        }
    };
    (@read $layer:tt [$($done:tt)*]
        $(#[$meta:meta])*
        fn $name:ident(&$this:ident $(, $argument:ident: _)* $(,)?) -> _ $body:block
        $($rest:tt)*
    ) => {
        $crate::ports::layer! {
            @read $layer
            [$($done)* { [$(#[$meta])*] [] $name $this [$($argument)*] $body }] $($rest)*
        }
    };
    (@read [$Port:ident $($layer:tt)*] [$($own:tt)*]) => {
        $crate::ports::$Port! { @all @merge [$Port $($layer)*] [] [$($own)*] }
    };

    // Goes through the port's methods in order. If the next own method has the same name, it is used.
    (@merge $layer:tt [$($done:tt)*] [] []) => {
        $crate::ports::layer! { @write $layer $($done)* }
    };
    (@merge [$Port:ident $($layer:tt)*] $done:tt [$own:tt $($more:tt)*]
        [{ $async:tt $name:ident $($signature:tt)* } $($rest:tt)*]
    ) => {
        $crate::ports::layer! {
            @compare $own $name
            [$Port $($layer)*] $done [$own $($more)*]
            [{ $async $name $($signature)* } $($rest)*]
        }
    };
    (@compare { $meta:tt $async:tt $own:ident $($of_own:tt)* } $name:ident
        [$Port:ident $($layer:tt)*] $($to:tt)*
    ) => {
        $crate::ports::$Port! { @same $own $name [$Port $($layer)*] $($to)* }
    };
    (@merge $layer:tt $done:tt [] $rest:tt) => {
        $crate::ports::layer! { @forward $layer $done [] $rest }
    };
    (@merge [$Port:ident $($layer:tt)*] $done:tt
        [{ $meta:tt $async:tt $name:ident $($own:tt)* } $($more:tt)*] []
    ) => {
        compile_error!(concat!(
            "`", stringify!($name), "` is no method of `", stringify!($Port),
            "`, or does not stand in the order of that trait"
        ));
    };

    (@own $layer:tt [$($done:tt)*]
        [{ [$($meta:tt)*] [$($async:tt)?] $own:ident $this:ident [$($argument:ident)*] $body:block }
            $($more:tt)*]
        [{ $listed:tt $name:ident [$($listed_argument:ident: $type:ty),*] $result:ty }
            $($rest:tt)*]
    ) => {
        $crate::ports::layer! {
            @merge $layer
            [$($done)*
                $($meta)* $($async)? fn $own(&$this $(, $argument: $type)*) -> $result $body]
            [$($more)*] [$($rest)*]
        }
    };

    // Forwards the call to the port below, directly or through a method of the layer.
    (@forward [$Port:ident $Layer:ident [$($field:ident).+] []] [$($done:tt)*] $own:tt
        [{ [async] $name:ident [$($argument:ident: $type:ty),*] $result:ty } $($rest:tt)*]
    ) => {
        $crate::ports::layer! {
            @merge [$Port $Layer [$($field).+] []]
            [$($done)* async fn $name(&self $(, $argument: $type)*) -> $result {
                self.$($field).+.$name($($argument),*).await
            }]
            $own [$($rest)*]
        }
    };
    (@forward [$Port:ident $Layer:ident [$($field:ident).+] [$around:ident]] [$($done:tt)*] $own:tt
        [{ [async] $name:ident [$($argument:ident: $type:ty),*] $result:ty } $($rest:tt)*]
    ) => {
        $crate::ports::layer! {
            @merge [$Port $Layer [$($field).+] [$around]]
            [$($done)* async fn $name(&self $(, $argument: $type)*) -> $result {
                self.$around(stringify!($name), self.$($field).+.$name($($argument),*)).await
            }]
            $own [$($rest)*]
        }
    };
    (@forward [$Port:ident $Layer:ident [$($field:ident).+] $around:tt] [$($done:tt)*] $own:tt
        [{ [] $name:ident [$($argument:ident: $type:ty),*] $result:ty } $($rest:tt)*]
    ) => {
        $crate::ports::layer! {
            @merge [$Port $Layer [$($field).+] $around]
            [$($done)* fn $name(&self $(, $argument: $type)*) -> $result {
                self.$($field).+.$name($($argument),*)
            }]
            $own [$($rest)*]
        }
    };

    (@write [$Port:ident $Layer:ident [$($field:ident).+] $around:tt] $($method:tt)*) => {
        #[async_trait::async_trait]
        impl $crate::ports::$Port for $Layer { $($method)* }
    };
}

pub(crate) use layer;
