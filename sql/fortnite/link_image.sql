create type fortnite.link_image as (
  url text
);

comment on type fortnite.link_image is 'An image of a link, in the one size we read';
