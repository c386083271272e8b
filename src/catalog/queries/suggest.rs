//! What is offered while someone types.

use super::list::push_query;
use crate::catalog::{filter::search_text, model::Suggestion};
use sqlx::{FromRow, PgPool, Postgres, QueryBuilder};

#[derive(FromRow)]
struct Row {
    kind: String,
    slug: String,
    label: String,
    detail: String,
}

/// At most two categories, two vendors and six goods for what was typed so far; nothing for fewer than two characters.
pub async fn suggest(pool: &PgPool, typed: &str) -> sqlx::Result<Vec<Suggestion>> {
    let Some(q) = search_text(typed).filter(|q| q.chars().count() >= 2) else { return Ok(Vec::new()) };
    let mut sql = QueryBuilder::<Postgres>::new("with typed as (select ' ' || lower(unaccent(");
    sql.push_bind(&q).push(
        ")) as start)
         (select 'category' as kind, c.slug, c.name as label, '' as detail from categories c, typed
          where position(start in ' ' || lower(unaccent(c.name))) > 0
            and exists (select from listings l where l.category_path @> array[c.id])
          order by cardinality(c.path), c.position limit 2)
         union all
         (select 'vendor', v.slug, v.name, v.tagline from vendors v, typed
          where v.status = 'approved' and position(start in ' ' || lower(unaccent(v.name))) > 0 order by v.name limit 2)
         union all
         (select 'product', c.slug, c.title, c.vendor_name from (select * from listings l where l.search @@ ",
    );
    push_query(&mut sql, &q);
    sql.push(" order by l.published_at desc limit 300) c order by ts_rank(c.search, ");
    push_query(&mut sql, &q);
    sql.push(") desc, c.in_stock desc, c.product_id limit 6)");
    let rows: Vec<Row> = sql.build_query_as().persistent(false).fetch_all(pool).await?;
    Ok(rows
        .into_iter()
        .map(|Row { kind, slug, label, detail }| match kind.as_str() {
            "category" => Suggestion { label, detail: "Department".into(), href: format!("/categories/{slug}") },
            "vendor" => Suggestion { label, detail: "Vendor".into(), href: format!("/vendors/{slug}") },
            _ => Suggestion { label, detail, href: format!("/products/{slug}") },
        })
        .collect())
}
