//! The one list of what a port can do: its trait.

/// Defines a port, and keeps the list of its signatures for [`layer!`](super::layer).
///
/// What is written is the trait, and nothing else lists its methods: a method that is added here is
/// at once part of every layer. Types must be named as in [`super::prelude`], because layers write
/// them down in other modules. A port has no methods that do something by default: an engine that
/// forgot one would not be told.
///
/// The list is a macro with the name of the port. It tells [`layer!`](super::layer) all methods, and
/// whether two names are the same one.
macro_rules! port {
    ($(#[$meta:meta])* pub trait $Port:ident: Send + Sync { $($methods:tt)* }) => {
        $(#[$meta])*
        #[async_trait::async_trait]
        pub trait $Port: Send + Sync { $($methods)* }

        $crate::ports::port! { @list $Port [] $($methods)* }
    };

    // One method after the other becomes `{ async fn name [argument: type, ...] result }`.
    (@list $Port:ident [$($done:tt)*]
        $(#[$meta:meta])*
        async fn $name:ident(&self $(, $argument:ident: $type:ty)* $(,)?) -> $result:ty;
        $($rest:tt)*
    ) => {
        $crate::ports::port! {
            @list $Port [$($done)* { [async] $name [$($argument: $type),*] $result }] $($rest)*
        }
    };
    (@list $Port:ident [$($done:tt)*]
        $(#[$meta:meta])*
        fn $name:ident(&self $(, $argument:ident: $type:ty)* $(,)?) -> $result:ty;
        $($rest:tt)*
    ) => {
        $crate::ports::port! {
            @list $Port [$($done)* { [] $name [$($argument: $type),*] $result }] $($rest)*
        }
    };
    (@list $Port:ident [$($method:tt)*]) => {
        $crate::ports::port! { @define ($) $Port $($method)* }
    };

    // The dollar sign is an argument, because a macro cannot write one of its own into another.
    (@define ($dollar:tt) $Port:ident
        $({ $async:tt $name:ident $arguments:tt $result:ty })*
    ) => {
        macro_rules! signatures {
            (@all $dollar($dollar to:tt)*) => {
                $crate::ports::layer! {
                    $dollar($dollar to)* [$({ $async $name $arguments $result })*]
                }
            };
            $((@same $name $name $dollar($dollar to:tt)*) => {
                $crate::ports::layer! { @own $dollar($dollar to)* }
            };)*
            (@same $dollar a:ident $dollar b:ident $dollar($dollar to:tt)*) => {
                $crate::ports::layer! { @forward $dollar($dollar to)* }
            };
        }
        pub(crate) use signatures as $Port;
    };
}

pub(crate) use port;
