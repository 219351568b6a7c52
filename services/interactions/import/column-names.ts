/** The parts that a column may play. */
export const ROLES = ["user", "item", "rating", "time", "type", "weight", "title", "genres", "year"] as const;
export type Role = (typeof ROLES)[number];

const words = (text: string): readonly string[] => text.trim().split(/\s+/);

/**
 * Spellings of each part, without case, accents, "_", "-", dots and spaces: MovieLens, Amazon (2014, 2018, 2023), Yelp,
 * Goodbooks, Goodreads, Last.fm, RetailRocket, Yoochoose, H&M, Steam, KuaiRec, Taobao, Book-Crossing, BeerAdvocate,
 * Foursquare, Online Retail, RecBole, MIND, and how German, French and Spanish tables call them. Where a file has
 * several of a part, the one that stands first here is taken.
 */
const SPELLINGS: Readonly<Record<Role, readonly string[]>> = {
  user: words(`
    userid user uid useridx usernumber userhash usersha1 useridentifier iduser username userkey reviewerid customerid customer
    custid customerno customernumber idcustomer memberid accountid profileid playerid listenerid viewerid subscriberid clientid
    client visitorid fullvisitorid visitor personid steamid msno reviewprofilename reviewer reviewername profilename author
    authorid deviceid cookieid cookie sessionid session
    nutzer nutzerid nutzernr benutzer benutzerid kunde kundeid kundenr kundennr kundennummer kundennumber kundenid mitglied
    utilisateur utilisateurid idutilisateur idclient numclient clientno membre abonne usuario idusuario usuarioid cliente
    idcliente`),
  item: words(`
    itemid item iid itemidx iditem itemkey movieid movie filmid film parentasin asin productid product productcode idproduct
    articleid article bookid isbn isbn13 artistid artistmbid artmbid artist trackid track songid song businessid gameid game
    appid videoid video newsid storyid postid contentid content documentid docid articlenumber listingid hotelid recipeid
    courseid sku skuid stockcode variantid animeid animeid beerid beerbeerid venueid placeid poiid locationid adid offerid
    showid titleid mangaid podcastid jokeid repoid sid
    artikel artikelid artikelnr artikelnummer produkt produktid produktnr buch buchid titelid ware warennummer
    produit produitid idproduit idarticle reference livre livreid ref producto idproducto articulo pelicula libro`),
  rating: words(`
    rating ratings stars star overall score userrating bookrating movierating reviewoverall reviewrating reviewscore
    ratingscore ratingvalue ratingval grade vote
    bewertung sterne punkte note wertung avis notation puntuacion calificacion valoracion`),
  time: words(`
    timestamp unixtimestamp unixreviewtime timestampms timestamps ts eventtime eventtimestamp interactiontime utctime
    datetime time createdat createdtime creationdate created reviewtime reviewdate ratedat ratingdate tdat eventdate date
    datetimeutc orderdate ordertime invoicedate purchasedate purchasetime transactiondate transactiontime saledate watchedat
    watchtimestamp listenedat playedat viewedat clickedat visitedat checkintime checkinat dateadded dateupdated endtime day unixtime epoch
    zeit zeitpunkt zeitstempel datum uhrzeit bestelldatum kaufdatum bewertungsdatum horodatage dateheure datecommande dateachat
    fecha fechahora`),
  type: words(`
    type event eventtype eventname action actiontype behavior behaviour behaviortype interaction interactiontype
    feedbacktype activity activitytype
    ereignis ereignistyp aktion typ evenement typeevenement tipo evento accion`),
  weight: words(`
    weight watchratio plays playcount playscount listencount listens count counts quantity qty hours hoursplayed playtime playtimeforever
    playduration watchtime dwelltime frequency times confidence value
    gewicht menge anzahl haeufigkeit quantite nombre poids cantidad peso`),
  title: words(`
    title name itemname itemtitle movietitle moviename movie booktitle originaltitle primarytitle productname producttitle
    prodname productdisplayname gamename gametitle appname artistname artname trackname songname videotitle headline description
    titel bezeichnung artikelname produktname artikelbezeichnung buchtitel titre nom designation libelle titulo nombre`),
  genres: words(`
    genres genre categories category categoryname maincategory maincat tags listedin genrenames productgroupname producttypename
    topics topic popularshelves
    kategorie kategorien genresliste categorie rubrique categorias categoria genero generos`),
  year: words(`
    year releaseyear originalpublicationyear publicationyear yearofpublication startyear yearreleased publishedyear releasedate
    published datepublished pubdate publicationdate released
    jahr erscheinungsjahr annee anio ano`),
};

const ORDER: ReadonlyMap<string, readonly (readonly [Role, number])[]> = (() => {
  const order = new Map<string, [Role, number][]>();
  for (const role of ROLES) {
    SPELLINGS[role].forEach((spelling, place) => {
      const known = order.get(spelling) ?? [];
      known.push([role, place]);
      order.set(spelling, known);
    });
  }
  return order;
})();

/** Without case, accents, "_", "-", dots, spaces, quotes, and a type after a colon as RecBole writes it. */
export function normalisedName(name: string): string {
  return name
    .normalize("NFD")
    .replaceAll(/\p{Diacritic}/gu, "")
    .toLowerCase()
    .replaceAll("ß", "ss")
    .replaceAll(/:(token|float|tokenseq|token_seq|float_seq|int|string|long)$/g, "")
    .replaceAll(/[^\p{L}\p{N}]/gu, "");
}

/** The parts that a column of this name may play, with the place of the spelling among those of the part. */
export function rolesOfName(name: string): readonly (readonly [Role, number])[] {
  return ORDER.get(normalisedName(name)) ?? [];
}

/** Whether a name is one that tables use. */
export const isKnownName = (name: string): boolean => rolesOfName(name).length > 0;

/** The column that plays a part by its name; of several, the one of the foremost spelling. */
export function columnByName(
  names: readonly string[],
  role: Role,
  taken: ReadonlySet<number>,
): number | undefined {
  let [best, bestPlace] = [-1, Number.POSITIVE_INFINITY];
  for (const [column, name] of names.entries()) {
    if (taken.has(column)) continue;
    const place = rolesOfName(name).find(([other]) => other === role)?.[1];
    if (place !== undefined && place < bestPlace) [best, bestPlace] = [column, place];
  }
  return best < 0 ? undefined : best;
}
