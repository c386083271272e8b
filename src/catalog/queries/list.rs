//! Lists of goods: one SELECT over `listings`, filters and order as asked, paged by key.

use crate::{
    catalog::{
        filter::{ListFilter, Sort, last_word},
        model::{CategoryTree, Listing, ProductPage},
        slug::Slug,
    },
    error::AppError,
    ids::{CategoryId, ProductId},
    server::{cursor, state::App},
};
use serde::{Deserialize, Serialize};
use sqlx::{FromRow, PgPool, Postgres, QueryBuilder};
use std::collections::HashMap;
use time::OffsetDateTime;
use uuid::Uuid;

/// The columns of [`Listing`], written once.
const LISTING: &str = "l.product_id, l.slug, l.title, l.vendor_slug, l.vendor_name, l.category_slug, l.category_name, \
     l.price_minor, l.price_max, l.prior_minor, l.currency, l.in_stock, l.picture_id, l.picture_alt, l.second_picture_id, l.published_at";

/// Ranking a word that half of all goods contain would read them all: the newest so many matches are ranked.
const CANDIDATES: i64 = 500;
/// Counting further tells a shopper nothing.
const COUNTED: i64 = 1_000;
/// The choices beside a list are made from so many of its goods: enough to tell whether there are more than are counted.
const SCOPE: i64 = COUNTED + 1;
/// So many vendors are offered, those with the most goods.
const VENDORS: i64 = 30;
/// So many words of a search that found nothing are looked up.
const WORDS: usize = 5;
/// So many of each category are looked at for what stands beside a product.
const NEIGHBOURS: i64 = 24;

/// One page of a list.
#[derive(Debug, Clone)]
pub struct Goods {
    pub goods: Vec<Listing>,
    /// The cursor of the next page; `None` on the last one.
    pub next: Option<String>,
}

#[derive(FromRow)]
struct Ranked {
    #[sqlx(flatten)]
    listing: Listing,
    rank: f32,
    /// How many match, where that was asked for.
    total: Option<i64>,
}

/// Where a page begins: the last row's place in the order, and its id for ties.
#[derive(Serialize, Deserialize)]
struct Position {
    /// Microseconds since 1970, minor units, or the bits of the rank (which must come back exactly).
    key: i64,
    id: ProductId,
}

impl Position {
    fn of(row: &Ranked, order: Sort) -> Self {
        let key = match order {
            Sort::Newest => (row.listing.published_at.unix_timestamp_nanos() / 1_000) as i64,
            Sort::PriceUp | Sort::PriceDown => row.listing.price_minor,
            Sort::Relevance => i64::from(row.rank.to_bits()),
        };
        Self { key, id: row.listing.product_id }
    }
}

/// One page of the goods that match, in the order asked for.
pub async fn list(app: &App, filter: &ListFilter) -> Result<Goods, AppError> {
    Ok(page(app, filter, false).await?.0)
}

/// As [`list`], with how many match and whether there are more than that, in one statement.
pub async fn list_counted(app: &App, filter: &ListFilter) -> Result<(Goods, (i64, bool)), AppError> {
    let (goods, total) = page(app, filter, true).await?;
    let total = match total {
        Some(total) => total,
        None if filter.after.is_none() => 0,
        // Behind the last page no row says how many there are.
        None => {
            let mut sql = QueryBuilder::<Postgres>::new("select ");
            push_total(&mut sql, filter);
            sql.build_query_scalar().persistent(filter.q.is_none()).fetch_one(&app.pool).await?
        }
    };
    Ok((goods, capped(total)))
}

/// A number of goods as it is told: up to so many, and whether there are more.
fn capped(total: i64) -> (i64, bool) {
    (total.min(COUNTED), total > COUNTED)
}

async fn page(app: &App, filter: &ListFilter, counted: bool) -> Result<(Goods, Option<i64>), AppError> {
    let order = filter.order();
    let fingerprint = filter.fingerprint();
    let after = filter.after.as_deref().map(|c| cursor::open::<Position>(&app.config.secret, &fingerprint, c)).transpose()?;

    let mut sql = QueryBuilder::<Postgres>::new("");
    let ranked = filter.q.as_ref().filter(|_| order == Sort::Relevance);
    if ranked.is_some() {
        sql.push("with candidates as materialized (select l.*");
        narrow(&mut sql, filter, All);
        sql.push(format!(" order by published_at desc, product_id desc limit {CANDIDATES})"));
    }
    sql.push(format!("select {LISTING}, "));
    if counted {
        push_total(&mut sql, filter);
    } else {
        sql.push("null::bigint");
    }
    // Whose columns the order is of.
    let t = match ranked {
        Some(q) => {
            sql.push(" as total, l.rank from (select c.*, ts_rank(c.search, ");
            push_query(&mut sql, q);
            sql.push(") as rank from candidates c) l where true");
            "l"
        }
        None => {
            sql.push(" as total, 0::real as rank");
            narrow(&mut sql, filter, All)
        }
    };
    if let Some(Position { key, id }) = after {
        match order {
            Sort::Newest => {
                let at = OffsetDateTime::from_unix_timestamp_nanos(i128::from(key) * 1_000)
                    .map_err(|_| AppError::BadRequest("after: not a cursor.".into()))?;
                sql.push(format!(" and ({t}.published_at, {t}.product_id) < (")).push_bind(at);
            }
            Sort::PriceUp => {
                sql.push(format!(" and ({t}.price_minor, {t}.product_id) > (")).push_bind(key);
            }
            Sort::PriceDown => {
                sql.push(format!(" and ({t}.price_minor, {t}.product_id) < (")).push_bind(key);
            }
            Sort::Relevance => {
                let rank = f32::from_bits(u32::try_from(key).unwrap_or_default());
                sql.push(" and (l.rank, l.product_id) < (").push_bind(rank);
            }
        }
        sql.push(", ").push_bind(id.uuid()).push(")");
    }
    sql.push(match order {
        Sort::Newest => format!(" order by {t}.published_at desc, {t}.product_id desc"),
        Sort::PriceUp => format!(" order by {t}.price_minor, {t}.product_id"),
        Sort::PriceDown => format!(" order by {t}.price_minor desc, {t}.product_id desc"),
        Sort::Relevance => " order by l.rank desc, l.product_id desc".to_owned(),
    });
    sql.push(" limit ").push_bind(filter.limit + 1);

    // Planned anew for each search: only who knows the words knows how many goods have them.
    let mut rows: Vec<Ranked> = sql.build_query_as().persistent(filter.q.is_none()).fetch_all(&app.pool).await?;
    let more = rows.len() as i64 > filter.limit;
    rows.truncate(filter.limit as usize);
    let next = match rows.last().filter(|_| more) {
        Some(last) => Some(cursor::seal(&app.config.secret, &fingerprint, &Position::of(last, order))?),
        None => None,
    };
    let total = rows.first().and_then(|row| row.total);
    Ok((Goods { goods: rows.into_iter().map(|r| r.listing).collect(), next }, total))
}

/// How many match, counted up to [`SCOPE`], as an expression.
fn push_total(sql: &mut QueryBuilder<Postgres>, filter: &ListFilter) {
    sql.push("(select count(*) from (select");
    narrow(sql, filter, All);
    sql.push(format!(" limit {SCOPE}) t)"));
}

/// What stands beside a list: how many match, and what could be chosen to narrow it.
#[derive(Debug, Clone, Default)]
pub struct Choices {
    total: i64,
    scope: i64,
    /// The lowest and highest price, before a price was asked for.
    pub lowest: Option<i64>,
    pub highest: Option<i64>,
    vendors: Vec<VendorChoice>,
    categories: HashMap<CategoryId, i64>,
}

/// A vendor of goods in a list, with how many.
#[derive(Debug, Clone)]
pub struct VendorChoice {
    pub slug: String,
    pub name: String,
    pub goods: i64,
}

impl Choices {
    /// How many match, and whether there are more than that.
    pub fn total(&self) -> (i64, bool) {
        capped(self.total)
    }

    /// The number of goods in a category, where it was counted.
    pub fn in_category(&self, id: CategoryId) -> i64 {
        self.categories.get(&id).copied().unwrap_or_default()
    }

    /// The vendors with the most goods first.
    pub fn vendors(&self) -> &[VendorChoice] {
        &self.vendors
    }

    /// Whether the numbers are exact: everything was looked at.
    pub fn exact(&self) -> bool {
        self.scope < SCOPE
    }
}

/// One of the groups that the goods of a scope fall into.
#[derive(FromRow)]
struct Group {
    /// `category`, `vendor`, `scope` for all of them, `total` for what matches.
    what: String,
    category_id: Option<Uuid>,
    slug: Option<String>,
    name: Option<String>,
    goods: i64,
    lowest: Option<i64>,
    highest: Option<i64>,
}

/// Whether something narrows the list that does not narrow the choices beside it.
pub fn narrower(filter: &ListFilter, of_vendor: bool) -> bool {
    filter.min_price.is_some() || filter.max_price.is_some() || (filter.vendor.is_some() && !of_vendor)
}

/// Counts what matches and gathers the choices, in one pass over the goods. Vendor and price do not narrow the choices, so that
/// another one can be taken; except on a vendor's own page, where the vendor is given (`of_vendor`).
pub async fn choices(pool: &PgPool, filter: &ListFilter, of_vendor: bool, tree: &CategoryTree) -> sqlx::Result<Choices> {
    let mut sql = QueryBuilder::<Postgres>::new(
        "with groups as materialized (
             select category_id, vendor_id, count(*) as goods, min(price_minor) as lowest, max(price_minor) as highest
             from (select l.category_id, l.vendor_id, l.price_minor",
    );
    let t = narrow(&mut sql, filter, if of_vendor { ButPrice } else { ButPriceAndVendor });
    if t == "k" {
        // Along the index, row by row: a plan for all of them would read all listings first.
        sql.push(" order by k.published_at desc, k.product_id desc");
    }
    sql.push(format!(
        " limit {SCOPE}) s group by grouping sets ((category_id), (vendor_id), ()))
         select case when category_id is null then 'scope' else 'category' end as what, category_id, null::text as slug, null::text as name,
                goods, lowest, highest from groups where vendor_id is null
         union all
         select 'vendor', null, v.slug, v.name, g.goods, null, null
         from (select vendor_id, goods from groups where vendor_id is not null order by goods desc, vendor_id limit {VENDORS}) g
         join vendors v on v.id = g.vendor_id"
    ));
    let narrower = narrower(filter, of_vendor);
    if narrower {
        sql.push(" union all select 'total', null, null, null, ");
        push_total(&mut sql, filter);
        sql.push(", null, null");
    }
    let groups: Vec<Group> = sql.build_query_as().persistent(filter.q.is_none()).fetch_all(pool).await?;

    let mut choices = Choices::default();
    for group in groups {
        match (group.what.as_str(), group.category_id, group.slug.zip(group.name)) {
            ("category", Some(id), _) => {
                // What is in a category is in all above it.
                for category in tree.trail(id.into()) {
                    *choices.categories.entry(category.id).or_default() += group.goods;
                }
            }
            ("vendor", _, Some((slug, name))) => choices.vendors.push(VendorChoice { slug, name, goods: group.goods }),
            ("scope", ..) => {
                (choices.scope, choices.lowest, choices.highest) = (group.goods, group.lowest, group.highest);
            }
            _ => choices.total = group.goods,
        }
    }
    if !narrower {
        choices.total = choices.scope;
    }
    choices.vendors.sort_by(|a, b| b.goods.cmp(&a.goods).then_with(|| a.name.cmp(&b.name)));
    Ok(choices)
}

/// What was perhaps meant by a search that found nothing: goods with the words of titles that are most like those typed. Two queries:
/// only who knows the words knows how many goods have them, and plans for that.
pub async fn closest(pool: &PgPool, q: &str) -> sqlx::Result<Vec<Listing>> {
    let typed: Vec<String> =
        q.split(|c: char| !c.is_alphabetic()).filter(|w| w.chars().count() > 2).take(WORDS).map(str::to_lowercase).collect();
    let meant: Option<String> = sqlx::query_scalar!(
        r#"select to_tsquery('souk', string_agg(n.word, ' | '))::text as "words" from unnest($1::text[]) t (word)
           cross join lateral (select s.word from search_words s where s.word % unaccent(t.word)
               order by similarity(s.word, unaccent(t.word)) desc, s.word limit 1) n"#,
        &typed
    )
    .fetch_one(pool)
    .await?;
    let Some(meant) = meant else { return Ok(Vec::new()) };
    let mut sql = QueryBuilder::<Postgres>::new("with candidates as materialized (select l.* from listings l where l.search @@ ");
    sql.push_bind(meant.clone())
        .push(format!("::tsquery limit {CANDIDATES}) select {LISTING} from candidates l order by ts_rank(l.search, "));
    sql.push_bind(meant).push("::tsquery) desc, l.product_id limit 8");
    sql.build_query_as().persistent(false).fetch_all(pool).await
}

/// Goods to look at after this one: the newest of its category and of those beside it; its own first, of these other vendors'
/// first, what is sold out last.
pub async fn related(pool: &PgPool, product: &ProductPage) -> sqlx::Result<Vec<Listing>> {
    let (id, category) = (product.id.uuid(), product.category_id.uuid());
    let mut sql = QueryBuilder::<Postgres>::new(format!(
        "select {LISTING} from (select n.* from categories c cross join lateral (
             select * from listings where category_id = c.id order by published_at desc, product_id limit {NEIGHBOURS}) n
         where c.path @> array[coalesce((select parent_id from categories where id = "
    ));
    sql.push_bind(category).push("), ").push_bind(category).push(")]) l where l.product_id <> ").push_bind(id);
    sql.push(" order by l.in_stock desc, l.category_id = ").push_bind(category);
    sql.push(" desc, l.vendor_id = ").push_bind(product.vendor_id.uuid());
    sql.push(", l.published_at desc, l.product_id limit 6").build_query_as().fetch_all(pool).await
}

/// Which filters narrow.
#[derive(Clone, Copy, PartialEq)]
enum Narrow {
    All,
    ButPrice,
    ButPriceAndVendor,
}
use Narrow::{All, ButPrice, ButPriceAndVendor};

/// Writes from where the goods are read and what narrows them; answers whose columns `published_at`, `price_minor`, `in_stock` and
/// `product_id` are to be taken from, for the order: of `k`, a category's own index, or of the listings.
fn narrow(sql: &mut QueryBuilder<Postgres>, filter: &ListFilter, by: Narrow) -> &'static str {
    let id_of = |sql: &mut QueryBuilder<Postgres>, slug: &Slug| {
        sql.push("(select id from categories where slug = ").push_bind(slug.to_string()).push(")");
    };
    let t = match (&filter.category, &filter.q) {
        (Some(category), None) => {
            // Every row of it has its listing, so that PostgreSQL can leave the join out where nothing of it is read.
            sql.push(" from category_listings k left join listings l on l.product_id = k.product_id where k.category_id = ");
            id_of(sql, category);
            "k"
        }
        (category, q) => {
            sql.push(" from listings l where true");
            if let Some(q) = q {
                sql.push(" and l.search @@ ");
                push_query(sql, q);
            }
            if let Some(category) = category {
                sql.push(" and l.category_path @> array[");
                id_of(sql, category);
                sql.push("]");
            }
            "l"
        }
    };
    if filter.in_stock {
        sql.push(format!(" and {t}.in_stock"));
    }
    if let Some(vendor) = filter.vendor.as_ref().filter(|_| by != ButPriceAndVendor) {
        sql.push(" and l.vendor_id = (select id from vendors where slug = ").push_bind(vendor.to_string()).push(")");
    }
    if by == All {
        if let Some(low) = filter.min_price {
            sql.push(format!(" and {t}.price_minor >= ")).push_bind(low);
        }
        if let Some(high) = filter.max_price {
            sql.push(format!(" and {t}.price_minor <= ")).push_bind(high);
        }
    }
    t
}

/// The search as written (`"exact words"`, `-without`, `or`), or with its last word as a beginning.
pub(super) fn push_query(sql: &mut QueryBuilder<Postgres>, q: &str) {
    sql.push("(websearch_to_tsquery('souk', ").push_bind(q.to_owned()).push(")");
    if let (head, Some(word)) = last_word(q) {
        sql.push(" || (");
        // Nothing is not searched for: PostgreSQL would say so for every row.
        if !head.is_empty() {
            sql.push("websearch_to_tsquery('souk', ").push_bind(head.to_owned()).push(") && ");
        }
        sql.push("to_tsquery('souk', ").push_bind(format!("'{word}':*")).push("))");
    }
    sql.push(")");
}
