//! The fields of rows, by their names in files.

use crate::model::named;

named! {
    /// A field that a row may have.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(super) enum Field {
        Id => "id",
        ProductId => "product_id",
        UserId => "user_id",
        PriceList => "price_list",
        Name => "name",
        Price => "price",
        Value => "value",
        Prices => "prices",
        Category => "category",
        Floor => "floor",
        Floors => "floors",
        Min => "min",
        Step => "step",
        Max => "max",
        MinQuantity => "min_quantity",
        Percentage => "percentage",
        Amount => "amount",
        Discounts => "discounts",
        Products => "products",
        Currency => "currency",
        Groups => "groups",
        Users => "users",
        Everyone => "everyone",
        Priority => "priority",
        From => "from",
        Until => "until",
        TimeZone => "time_zone",
    }
}

impl Field {
    pub(super) const COUNT: usize = Self::ALL.len();

    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.name() == name)
    }

    pub(super) fn names() -> impl Iterator<Item = &'static str> {
        Self::ALL.into_iter().map(Self::name)
    }

    /// Whether the field's value is a number.
    pub(super) const fn is_number(self) -> bool {
        use Field::{
            Amount, Floor, Max, Min, MinQuantity, Percentage, Price, Priority, Step, Value,
        };
        matches!(
            self,
            Price | Value | Floor | Min | Step | Max | MinQuantity | Percentage | Amount | Priority
        )
    }

    /// Whether the field's value is an id.
    pub(super) const fn is_id(self) -> bool {
        matches!(self, Self::Id | Self::ProductId | Self::UserId | Self::PriceList)
    }
}
