//! What calls to DynamoDB ask for, and what they consumed.

use aws_sdk_dynamodb::config::interceptors::{
    BeforeSerializationInterceptorContextMut, FinalizerInterceptorContextRef,
};
use aws_sdk_dynamodb::operation::batch_get_item::{BatchGetItemInput, BatchGetItemOutput};
use aws_sdk_dynamodb::operation::batch_write_item::{BatchWriteItemInput, BatchWriteItemOutput};
use aws_sdk_dynamodb::operation::delete_item::{DeleteItemInput, DeleteItemOutput};
use aws_sdk_dynamodb::operation::get_item::{GetItemInput, GetItemOutput};
use aws_sdk_dynamodb::operation::put_item::{PutItemError, PutItemInput, PutItemOutput};
use aws_sdk_dynamodb::operation::query::{QueryInput, QueryOutput};
use aws_sdk_dynamodb::operation::scan::{ScanInput, ScanOutput};
use aws_sdk_dynamodb::operation::update_item::{
    UpdateItemError, UpdateItemInput, UpdateItemOutput,
};
use aws_sdk_dynamodb::types::error::ConditionalCheckFailedException;
use aws_sdk_dynamodb::types::{ConsumedCapacity, ReturnConsumedCapacity, WriteRequest};

use super::billable::Billable;
use super::item::{Item, item_bytes};
use super::names::Names;
use crate::meter::rules::{UNIT, item_read, item_write, page_read};
use crate::meter::{Operation, Resource, Used};

fn size(item: &Item) -> u64 {
    item_bytes(item) as u64
}

fn written(request: &WriteRequest) -> u64 {
    match &request.put_request {
        Some(put) => size(&put.item),
        // The size of a deleted item is not known. It counts as the smallest item.
        None => 0,
    }
}

/// Returns what a call asks for, if it touches items. Makes the call report what it consumes.
pub(super) fn asked(
    context: &mut BeforeSerializationInterceptorContextMut<'_>,
    names: &Names,
) -> Option<Billable> {
    let report = Some(ReturnConsumedCapacity::Total);
    let resource = |table: Option<&str>| Some(names.table_of(table?)?.metered());
    let of = |operation: fn(Resource) -> Operation, table: Option<&str>| {
        let operation = operation(resource(table)?);
        Some(Billable { operation, items: 1, bytes: 0, milliunits: UNIT, consistent: false })
    };
    let input = context.input_mut();
    if let Some(get) = input.downcast_mut::<GetItemInput>() {
        get.return_consumed_capacity = report;
        let asked = of(Operation::read, get.table_name.as_deref())?;
        return Some(Billable { consistent: get.consistent_read.unwrap_or_default(), ..asked });
    }
    if let Some(get) = input.downcast_mut::<BatchGetItemInput>() {
        get.return_consumed_capacity = report;
        let (table, keys) = get.request_items.as_ref()?.iter().next()?;
        let asked = of(Operation::read, Some(table))?;
        let consistent = keys.consistent_read.unwrap_or_default();
        return Some(Billable { items: keys.keys.len() as u64, consistent, ..asked });
    }
    if let Some(query) = input.downcast_mut::<QueryInput>() {
        query.return_consumed_capacity = report;
        let asked = of(Operation::read, query.table_name.as_deref())?;
        return Some(Billable { consistent: query.consistent_read.unwrap_or_default(), ..asked });
    }
    if let Some(scan) = input.downcast_mut::<ScanInput>() {
        scan.return_consumed_capacity = report;
        let asked = of(Operation::scan, scan.table_name.as_deref())?;
        return Some(Billable { consistent: scan.consistent_read.unwrap_or_default(), ..asked });
    }
    if let Some(put) = input.downcast_mut::<PutItemInput>() {
        put.return_consumed_capacity = report;
        let asked = of(Operation::write, put.table_name.as_deref())?;
        let bytes = put.item.as_ref().map(size).unwrap_or_default();
        return Some(Billable { bytes, milliunits: item_write(bytes), ..asked });
    }
    if let Some(update) = input.downcast_mut::<UpdateItemInput>() {
        update.return_consumed_capacity = report;
        return of(Operation::write, update.table_name.as_deref());
    }
    if let Some(delete) = input.downcast_mut::<DeleteItemInput>() {
        delete.return_consumed_capacity = report;
        return of(Operation::write, delete.table_name.as_deref());
    }
    let batch = input.downcast_mut::<BatchWriteItemInput>()?;
    batch.return_consumed_capacity = report;
    let (table, requests) = batch.request_items.as_ref()?.iter().next()?;
    let asked = of(Operation::write, Some(table))?;
    let (mut bytes, mut milliunits) = (0, 0);
    for request in requests {
        let size = written(request);
        (bytes, milliunits) = (bytes + size, milliunits + item_write(size));
    }
    Some(Billable { items: requests.len() as u64, bytes, milliunits, ..asked })
}

/// Returns what an attempt consumed, if it was a call to DynamoDB that did something.
pub(super) fn used(context: &FinalizerInterceptorContextRef<'_>, asked: &Billable) -> Option<Used> {
    let output = match context.output_or_error()? {
        Ok(output) => output,
        Err(error) => {
            let error = error.as_operation_error()?;
            let put = error.downcast_ref().and_then(|error| match error {
                PutItemError::ConditionalCheckFailedException(refusal) => Some(refusal),
                _ => None,
            });
            let refusal = put.or_else(|| match error.downcast_ref()? {
                UpdateItemError::ConditionalCheckFailedException(refusal) => Some(refusal),
                _ => None,
            });
            return refusal.map(refused);
        }
    };
    let consistent = asked.consistent;
    if let Some(got) = output.downcast_ref::<GetItemOutput>() {
        let found = got.item.as_ref().map(size);
        let bytes = found.unwrap_or_default();
        let used = Used::derived(1, found.is_some().into(), bytes, item_read(bytes, consistent));
        return Some(reported(used, got.consumed_capacity.as_ref()));
    }
    if let Some(got) = output.downcast_ref::<BatchGetItemOutput>() {
        let found = got.responses.iter().flat_map(|tables| tables.values().flatten()).map(size);
        let one = |bytes| Used::derived(0, 1, bytes, item_read(bytes, consistent));
        let used = found.map(one).fold(Used::derived(1, 0, 0, 0), |all, one| all.plus(&one));
        let undone = got.unprocessed_keys.iter().flat_map(|tables| tables.values());
        let undone: usize = undone.map(|keys| keys.keys.len()).sum();
        let missing = asked.items.saturating_sub(used.items + undone as u64);
        let used = used.plus(&Used::derived(0, 0, 0, missing * item_read(0, consistent)));
        return Some(reported(used, got.consumed_capacity.iter().flatten()));
    }
    let page = |items: Option<&Vec<Item>>, capacity: Option<&ConsumedCapacity>| {
        let items = items.map(Vec::as_slice).unwrap_or_default();
        let bytes = items.iter().map(size).sum();
        let used = Used::derived(1, items.len() as u64, bytes, page_read(bytes, consistent));
        reported(used, capacity)
    };
    if let Some(found) = output.downcast_ref::<QueryOutput>() {
        return Some(page(found.items.as_ref(), found.consumed_capacity.as_ref()));
    }
    if let Some(found) = output.downcast_ref::<ScanOutput>() {
        return Some(page(found.items.as_ref(), found.consumed_capacity.as_ref()));
    }
    if let Some(put) = output.downcast_ref::<PutItemOutput>() {
        let used = Used::derived(1, 1, asked.bytes, asked.milliunits);
        return Some(reported(used, put.consumed_capacity.as_ref()));
    }
    let changed = |item: Option<&Item>, capacity: Option<&ConsumedCapacity>| {
        let bytes = item.map(size).unwrap_or_default();
        reported(Used::derived(1, 1, bytes, item_write(bytes)), capacity)
    };
    if let Some(update) = output.downcast_ref::<UpdateItemOutput>() {
        return Some(changed(update.attributes.as_ref(), update.consumed_capacity.as_ref()));
    }
    if let Some(delete) = output.downcast_ref::<DeleteItemOutput>() {
        return Some(changed(delete.attributes.as_ref(), delete.consumed_capacity.as_ref()));
    }
    let batch = output.downcast_ref::<BatchWriteItemOutput>()?;
    let all = Used::derived(1, asked.items, asked.bytes, asked.milliunits);
    let undone = batch.unprocessed_items.iter().flat_map(|tables| tables.values().flatten());
    let undone = undone.map(written).fold(Used::default(), |sum, bytes| {
        sum.plus(&Used::derived(0, 1, bytes, item_write(bytes)))
    });
    Some(reported(all.minus(&undone), batch.consumed_capacity.iter().flatten()))
}

/// Returns what a failed condition costs. It is billed by the size of the item on which it failed, and no
/// capacity is reported.
fn refused(refusal: &ConditionalCheckFailedException) -> Used {
    let bytes = refusal.item.as_ref().map(size).unwrap_or_default();
    Used::derived(1, 0, 0, item_write(bytes))
}

/// Returns the usage with the reported units. They take precedence over those derived from the rules.
fn reported<'a>(used: Used, capacity: impl IntoIterator<Item = &'a ConsumedCapacity>) -> Used {
    let mut units = capacity.into_iter().filter_map(|capacity| capacity.capacity_units).peekable();
    if units.peek().is_none() {
        return used;
    }
    // The units are multiples of one half, which a float holds exactly.
    let milliunits = units.map(|units| (units * 1000.0).round() as u64).sum();
    Used { measured_milliunits: milliunits, derived_milliunits: 0, ..used }
}
