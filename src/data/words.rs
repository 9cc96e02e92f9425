//! The words of which generated names are made.

use std::sync::LazyLock;

/// A list of words.
pub(super) type Words = LazyLock<Vec<&'static str>>;

pub(super) static ADJECTIVES: Words = LazyLock::new(|| {
    split(
        "Adjustable, Anti-slip, Compact, Deep, Detachable, Double, Ergonomic, Extendable, \
         Fine, Fireproof, Flat, Folding, Heavy-duty, High, Insulated, Light, Lockable, \
         Low-profile, Magnetic, Mobile, Modular, Narrow, Padded, Portable, Quiet, Reinforced, \
         Reusable, Slim, Stackable, Tall, Waterproof, Wide",
    )
});

pub(super) static MATERIALS: Words = LazyLock::new(|| {
    split(
        "Acrylic, Aluminium, Bamboo, Beech, Birch, Brass, Canvas, Carbon, Ceramic, Copper, \
         Cork, Cotton, Felt, Glass, Leather, Linen, Nylon, Oak, Rubber, Silicone, Stainless, \
         Steel, Walnut, Wool",
    )
});

pub(super) static THINGS: Words = LazyLock::new(|| {
    split(
        "Apron, Basket, Bench, Bin, Bookend, Bottle, Bowl, Bracket, Broom, Bucket, Cabinet, \
         Cable Duct, Cart, Case, Chair, Clamp, Clipboard, Coat Rack, Container, Crate, \
         Cushion, Desk, Divider, Door Stop, Drawer, Easel, Filing Box, Flask, Footrest, Frame, \
         Funnel, Gloves, Handle, Hinge, Hook, Hose, Jug, Kettle, Ladder, Lamp, Locker, Mat, \
         Mug, Notebook, Organiser, Panel, Pen Holder, Planter, Rack, Rail, Ruler, Scoop, \
         Screen, Shelf, Sign, Stool, Table, Tool Box, Tray, Trolley, Tube, Tub, Wall Clock, \
         Whiteboard",
    )
});

pub(super) static SIZES: Words = LazyLock::new(|| {
    split(
        "XS, S, M, L, XL, 10 cm, 20 cm, 40 cm, 60 cm, 90 cm, 120 cm, 0.5 l, 1 l, 5 l, \
         set of 4, pack of 12",
    )
});

pub(super) static COMPANIES: Words = LazyLock::new(|| {
    split(
        "alder, amber, arcadia, beacon, birchwood, bluebell, cascade, cedar, clearwater, \
         compass, eastgate, elmfield, falcon, granite, harbour, highland, ironbridge, juniper, \
         kestrel, lakeside, meridian, millbrook, northwind, oakridge, orchard, pinnacle, \
         redstone, riverside, silverline, stonegate, summit, westbay",
    )
});

pub(super) static TRADES: Words = LazyLock::new(|| {
    split(
        "bakery, builders, catering, clinics, crafts, design, electric, events, farms, \
         fittings, foods, hotels, interiors, joinery, logistics, market, motors, office, \
         pharmacy, retail, schools, studios, supplies, tools",
    )
});

fn split(words: &'static str) -> Vec<&'static str> {
    words.split(", ").collect()
}
