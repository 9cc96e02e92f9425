//! Tests of the places for keys of tokens, which all behave the same.

use ocache::embedded::KeysFile;
use ocache::memory::MemoryTokenKeys;
use ocache::ports::{Randomness as _, SystemRandomness, TokenKeys};
use ocache::tokens::{Key, KeyRing};

fn key() -> Key {
    let bits = || SystemRandomness.bits();
    Key::from_random(bits(), [bits(), bits()]).unwrap()
}

async fn keys_come_back_and_the_first_are_made_once(place: &dyn TokenKeys) {
    assert_eq!(place.read().await.unwrap(), None, "{}", place.place());
    let first = KeyRing::new(key());
    assert!(place.create(&first).await.unwrap());
    assert!(!place.create(&KeyRing::new(key())).await.unwrap());
    assert_eq!(place.read().await.unwrap().as_ref(), Some(&first));
    let rotated = first.rotated(key());
    place.replace(&rotated).await.unwrap();
    assert_eq!(place.read().await.unwrap(), Some(rotated));
}

#[tokio::test]
async fn in_memory() {
    keys_come_back_and_the_first_are_made_once(&MemoryTokenKeys::default()).await;
}

#[tokio::test]
async fn in_a_file() {
    let dir = tempfile::tempdir().unwrap();
    keys_come_back_and_the_first_are_made_once(&KeysFile::of_folder(dir.path())).await;
}

#[cfg(feature = "aws")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a local AWS: .ci/ministack cargo test"]
async fn in_secrets_manager() {
    use std::sync::Arc;

    use ocache::aws::{Aws, AwsSettings};
    use ocache::model::Generation;

    let endpoint = std::env::var("OCACHE_TEST_ENDPOINT_URL").unwrap();
    let stack = format!("test-{}", Generation::from_random(SystemRandomness.bits()));
    let settings = AwsSettings { endpoint_url: Some(endpoint), ..AwsSettings::new(stack) };
    let aws = Aws::connect(&settings, Arc::new(SystemRandomness)).await.unwrap();
    keys_come_back_and_the_first_are_made_once(&*aws.token_keys()).await;
}
