//! One behaviour, tested on every engine.
//!
//! The tests are written once, against the ports, and demand what the docs of the ports promise and no
//! more. An engine joins with a module that has `async fn start() -> Fixture` and one `behaves!` line at
//! the end of this file.

mod engines {
    pub mod fixture;
    pub mod listing;
    pub mod loading;
    pub mod receiving;
    pub mod samples;

    pub mod active_users;
    pub mod bases;
    pub mod catalogue;
    pub mod dead_letters;
    pub mod delivery;
    pub mod discounts;
    pub mod fifo;
    pub mod loads;
    pub mod metering;
    pub mod presence;
    pub mod price_lists;
    pub mod price_tables;
    pub mod quotations;
    pub mod sending;
    pub mod stack_settings;
    pub mod topic;

    #[cfg(feature = "aws")]
    pub mod aws;
    pub mod embedded;
    pub mod memory;
    mod memory_fifo_oracle;
    mod token_keys;
}

/// Defines one test with its attributes, on a runtime with this configuration.
macro_rules! test_on {
    (($($runtime:tt)*) [$($attributes:tt)*] $test:ident $run:expr) => {
        #[tokio::test($($runtime)*)]
        $($attributes)*
        async fn $test() {
            $run;
        }
    };
}

/// Defines tests of which each has an engine of its own.
macro_rules! tests_of {
    ($engine:ident $runtime:tt $attributes:tt: $($area:ident { $($test:ident),* $(,)? })*) => {
        mod $engine {
            $(mod $area {
                use crate::engines::{$area, $engine, fixture};
                $(test_on!($runtime $attributes $test
                    fixture::run($engine::start().await, $area::$test).await);)*
            })*
        }
    };
}

/// The list of all tests.
macro_rules! behaves {
    ($engine:ident on $runtime:tt) => {
        behaves!($engine on $runtime []);
    };
    ($engine:ident on $runtime:tt $attributes:tt) => {
        tests_of! { $engine $runtime $attributes:
            active_users {
                a_visit_is_stored_and_returns_the_row_before,
                expiry_is_kept_in_whole_seconds_rounded_up,
                a_user_who_comes_back_after_expiring_keeps_the_first_visit,
                an_expired_user_is_stored_but_not_listed,
                a_removed_user_is_gone,
                segments_cover_each_user_once,
                ids_of_every_kind_are_kept_apart,
            }
            bases {
                a_base_comes_back_as_it_was_written,
                bases_of_two_names_are_kept_apart,
                a_base_may_be_written_again_for_longer,
                a_claim_keeps_others_out_until_it_ends,
                a_claim_by_a_clock_that_is_wrong_keeps_nobody_out,
                parts_may_be_written_ahead_of_their_base,
                drafts_come_back_and_are_no_part_of_a_base,
            }
            catalogue {
                products_are_upserted_and_deleted,
                a_large_catalogue_is_listed_whole,
                segments_cover_each_product_once,
                many_products_are_read_at_once,
                nothing_asked_is_nothing_done,
            }
            loads {
                the_first_load_makes_version_one,
                a_journal_is_laid_over_the_rows_until_it_is_folded,
                a_load_needs_the_version_that_was_read,
                only_one_of_many_loads_comes_into_force,
                a_dropped_load_never_comes_into_force,
                the_journal_of_the_head_is_not_dropped,
                what_is_folded_late_changes_nothing,
                the_base_moves_only_with_products_and_currency,
                the_head_says_what_changed_last,
                a_large_journal_comes_back_in_its_order,
                a_listing_that_outlasts_the_fold_is_whole,
                nothing_asked_is_nothing_done,
            }
            discounts {
                a_list_is_replaced_whole,
                many_lists_at_once,
                a_deleted_list_is_gone,
                every_digit_of_a_percentage_is_kept,
                a_long_list_fits,
                nothing_asked_is_nothing_done,
            }
            price_lists {
                records_come_back_as_they_were_written,
                a_product_keeps_what_few_products_have,
                a_journal_is_laid_over_the_rows_until_it_is_folded,
                rows_of_a_list_are_listed_among_those_of_others,
                a_long_list_is_listed_page_by_page,
                many_are_read_at_once,
                nothing_asked_is_nothing_done,
            }
            presence {
                a_process_is_there_until_it_leaves,
                what_it_says_replaces_what_it_said,
                who_has_said_nothing_for_too_long_does_not_live,
                many_processes_are_told_of,
            }
            price_tables {
                a_head_flips_only_from_the_version_that_was_read,
                a_message_about_an_awaited_table_is_published_with_it_or_left_to_the_caller,
                a_head_comes_back_as_it_was_written,
                heads_come_with_the_head_of_the_catalogue,
                only_one_of_many_flips_is_done,
                many_heads_are_read_at_once,
                parts_come_in_the_order_asked_for,
                parts_may_be_written_again,
                generations_and_users_are_kept_apart,
                a_table_of_many_parts_comes_back_whole,
                a_deleted_table_leaves_nothing,
                a_table_is_put_whole_or_refused,
                a_head_without_parts_keeps_those_that_are_stored,
                parts_of_many_tables_are_read_at_once,
                a_table_flipped_while_it_is_read_is_never_mixed,
                nothing_asked_is_nothing_done,
            }
            quotations {
                a_quotation_is_created_once,
                an_expired_quotation_is_replaced,
                a_quotation_is_published_if_it_is_new,
                only_one_of_many_creations_is_new,
                an_answer_is_stored_once,
                an_answer_is_stored_with_its_quotation,
                a_quotation_that_waits_is_not_stored_answered,
                only_one_of_many_answered_is_stored,
                a_failure_is_stored_once,
                only_one_of_many_verdicts_is_stored,
                an_answer_must_come_before_the_deadline,
                a_failure_may_come_after_the_deadline,
                every_reason_comes_back,
                what_is_missing_is_not_settled,
                an_answer_is_redirected,
                a_deleted_quotation_is_gone,
                every_quotation_is_listed_as_it_stands,
                the_longest_quotation_fits,
            }
            stack_settings {
                nothing_is_set_at_first,
                a_record_comes_back_as_it_was_written,
                only_the_next_revision_is_written,
                only_one_of_many_changes_is_written,
                settings_and_loads_do_not_meet,
                settings_may_come_before_the_first_load,
            }
            sending {
                batches_of_any_size_arrive_whole,
                large_messages_are_split_over_requests,
                a_body_may_have_256_kb,
                what_does_not_fit_is_named_and_the_rest_is_sent,
                queues_are_separate,
                sending_nothing_sends_nothing,
            }
            fifo {
                a_group_is_delivered_in_order,
                a_group_is_blocked_while_one_is_in_flight,
                groups_are_delivered_side_by_side,
                an_acknowledgement_frees_the_group_for_a_waiting_receiver,
                a_returned_message_comes_before_the_rest_of_its_group,
                a_repetition_is_dropped,
                a_repetition_is_dropped_after_the_acknowledgement_too,
                equal_bodies_with_different_ids_both_arrive,
                many_receivers_share_the_work_in_order,
            }
            delivery {
                a_message_comes_again_when_its_visibility_ends,
                a_returned_message_comes_again_at_once,
                a_longer_visibility_hides_a_message_longer,
                an_acknowledged_message_is_gone,
                an_expired_receipt_does_nothing,
                many_receipts_at_once,
                a_delayed_message_comes_late,
                a_waiting_receiver_is_woken_by_a_message,
                a_receiver_takes_no_more_than_it_asked_for,
                a_cancelled_receive_loses_nothing,
                depth_tells_the_kinds_apart,
            }
            dead_letters {
                a_message_is_given_up_after_its_last_receive,
                a_dead_letter_does_not_block_its_group,
                all_are_redriven,
                chosen_ones_are_redriven,
                all_are_dropped,
                chosen_ones_are_dropped,
                a_list_has_a_limit,
            }
            metering {
                the_same_work_costs_the_same,
                usage_is_kept_by_window_and_process,
            }
            topic {
                what_is_published_reaches_the_provider_queue,
                what_is_too_large_is_named_and_the_rest_is_published,
                large_messages_are_split_over_requests,
                publishing_nothing_publishes_nothing,
            }
        }
    };
}

// This engine controls its time, so waiting costs none. An engine that has threads or a network needs
// `(flavor = "multi_thread", worker_threads = 2)`.
behaves!(memory on (start_paused = true));
behaves!(embedded on (flavor = "multi_thread", worker_threads = 2));
#[cfg(feature = "aws")]
behaves!(aws on (flavor = "multi_thread", worker_threads = 2)
    [#[ignore = "needs a local AWS: .ci/ministack cargo test"]]);

#[cfg(feature = "aws")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a local AWS: .ci/ministack cargo test"]
async fn what_aws_counts_is_what_is_derived() {
    engines::metering::what_aws_counts_is_what_is_derived().await;
}
